import { RequestMethod, type INestApplication } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import {
  ACCESS_DECISION,
  ACCESS_OPTIONS,
  type AccessDecision,
  type AccessOptions,
} from '../../src/common/http/index.js';

/** A handler of a controller: `GET /api/:collection`, and who may call it. */
export interface Route {
  readonly name: string;
  readonly decision: AccessDecision | undefined;
  /** Whether a credential that comes along is looked at. */
  readonly ignoresCredentials: boolean;
}

/** Every route that the application's controllers serve, read from Nest itself. */
export function listRoutes(app: INestApplication): Route[] {
  const routes: Route[] = [];
  const scanner = new MetadataScanner();
  for (const { controllers } of app.get(ModulesContainer).values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler !== 'function') continue;
        const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (method === undefined) continue;
        const read = (key: string): unknown =>
          Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, metatype);
        const decision = read(ACCESS_DECISION) as AccessDecision | undefined;
        const options = read(ACCESS_OPTIONS) as AccessOptions | undefined;
        const ignoresCredentials = options?.credentials === 'ignored';
        for (const start of pathsOf(metatype)) {
          for (const end of pathsOf(handler))
            routes.push({
              name: `${RequestMethod[method]} ${joinPath(start, end)}`,
              decision,
              ignoresCredentials,
            });
        }
      }
    }
  }
  return routes;
}

function pathsOf(target: object): readonly string[] {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | readonly string[] | undefined;
  return path === undefined ? [''] : typeof path === 'string' ? [path] : path;
}

const joinPath = (...parts: readonly string[]): string =>
  `/${parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;
