import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ACCESS_DECISION } from '../common/http/index.js';

/** Refuses to start with a route that nobody decided on, so that none is open, or dead, because it was forgotten. */
@Injectable()
export class RouteDecisions implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const undecided = this.discovery
      .getControllers()
      .flatMap(({ metatype }) =>
        typeof metatype === 'function' ? this.listUndecided(metatype as Type) : [],
      );
    if (undecided.length > 0) {
      throw new Error(
        `These routes have no access decision: ${undecided.join(', ')}. Put @Access('public' | 'authenticated' | 'admin'), @Public() or @Roles(...) on the controller or the method.`,
      );
    }
  }

  private listUndecided(controller: Type): string[] {
    const prototype = controller.prototype as Record<string, unknown>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function') return [];
      const method = this.reflector.get<RequestMethod | undefined>(METHOD_METADATA, handler);
      if (method === undefined) return [];
      const decision: unknown = this.reflector.getAllAndOverride(ACCESS_DECISION, [handler, controller]);
      if (decision !== undefined) return [];
      const path = [
        Reflect.getMetadata(PATH_METADATA, controller),
        Reflect.getMetadata(PATH_METADATA, handler),
      ]
        .filter((part) => typeof part === 'string' && part !== '/')
        .join('/');
      return [`${RequestMethod[method]} /${path} (${controller.name}.${name})`];
    });
  }
}
