import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';

/**
 * The routes that Plinth serves, for the option `exclude` of `setGlobalPrefix`. They are where its documents, links and
 * clients look for them, whatever prefix a host application gives to its own.
 */
export const PLINTH_ROUTES: readonly string[] = [
  'api/{*path}',
  'auth/{*path}',
  '.well-known/jwks.json',
  'system/{*path}',
  'docs',
  'docs/{*path}',
  'openapi.json',
  'health/{*path}',
  'metrics',
];

const PATTERN =
  /^\/(?:api|auth|system|health|docs)(?:\/|$)|^\/(?:openapi\.json|metrics|\.well-known\/jwks\.json)$/;

/** Keeps a global prefix of the host from Plinth's routes, unless the host names exceptions of its own. */
export function keepOwnRoutes(config: ApplicationConfig): void {
  config.setGlobalPrefixOptions({
    exclude: [{ path: '/', requestMethod: RequestMethod.ALL, pathRegex: PATTERN }],
  });
}
