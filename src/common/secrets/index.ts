export { seal, unseal } from './seal.js';
export { ServerSecret } from './server-secret.js';
