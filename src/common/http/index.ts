export { AlwaysAnswered, isAlwaysAnswered, isMarkedAlwaysAnswered } from './always-answered.decorator.js';
export * from './api-problem.decorator.js';
export * from './access.decorator.js';
export * from './http-adapter.js';
export { HostCheck } from './host-check.js';
export { keepOwnRoutes, PLINTH_ROUTES } from './own-routes.js';
export { NoParameters, refuseParameters } from './no-parameters.decorator.js';
export { addressGroup } from './address-group.js';
export { CrossSiteCheck } from './cross-site-check.js';
export {
  readOwnCookie,
  readSessionCookie,
  removeSessionCookie,
  SESSION_COOKIE,
  setOwnCookie,
  setSessionCookie,
} from './session-cookie.js';
export { TrustedProxies } from './trusted-proxies.js';
export * from './validation.pipe.js';
