import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import {
  ApplicationConfig,
  HttpAdapterHost,
  MetadataScanner,
  ModulesContainer,
  Reflector,
} from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Actor } from '../common/context/index.js';
import { ACCESS_DECISION, type AccessDecision } from '../common/http/index.js';
import { METHODS, type PathItem, type Schema } from './document/openapi-types.js';
import type { SystemApi } from './document/system-paths.js';
import { TAG_DESCRIPTIONS } from './tag-descriptions.js';

/** How far into the controllers a caller gets; what each may call includes what those before it may. */
export type Audience = AccessDecision;

export function audienceOf(actor: Actor): Audience {
  if (actor.roles.includes('admin')) return 'admin';
  return actor.kind === 'public' ? 'public' : 'authenticated';
}

const MAY_CALL: Readonly<Record<Audience, readonly AccessDecision[]>> = {
  public: ['public'],
  authenticated: ['public', 'authenticated'],
  admin: ['public', 'authenticated', 'admin'],
};

interface Routes {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly schemas: Readonly<Record<string, Schema>>;
  /** By operation id. */
  readonly decisions: ReadonlyMap<string, AccessDecision>;
}

/** What the controllers of the application declare of themselves through @nestjs/swagger, a host's own included. */
@Injectable()
export class ControllerRoutes {
  private routes: Routes | undefined;
  private readonly apis = new Map<Audience, SystemApi>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly reflector: Reflector,
  ) {}

  /** The routes that an audience may call. To be asked when the application is complete. */
  listFor(audience: Audience): SystemApi {
    let api = this.apis.get(audience);
    if (!api) {
      this.routes ??= this.readRoutes();
      api = selectRoutes(this.routes, audience);
      this.apis.set(audience, api);
    }
    return api;
  }

  private readRoutes(): Routes {
    const decisions = this.readDecisions();
    const options = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
    const { paths, components } = SwaggerModule.createDocument(this.asApplication(), options, {
      operationIdFactory: operationIdOf,
    });
    return {
      // The library's types are of OpenAPI 3.0; with the version above it writes 3.1.
      paths: paths as unknown as Record<string, PathItem>,
      schemas: (components?.schemas ?? {}) as unknown as Record<string, Schema>,
      decisions,
    };
  }

  /**
   * The scanner reads an application's container, configuration and adapter, and no more. A module is not given its
   * application, and asking the host to hand it over would be a step to forget.
   */
  private asApplication(): INestApplication {
    return {
      container: { getModules: () => this.modules },
      config: this.config,
      getHttpAdapter: () => this.adapterHost.httpAdapter,
    } as unknown as INestApplication;
  }

  /** A route without a decision is nobody's; the application does not start with one. */
  private readDecisions(): ReadonlyMap<string, AccessDecision> {
    const decisions = new Map<string, AccessDecision>();
    const scanner = new MetadataScanner();
    for (const metatype of this.listControllers()) {
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler !== 'function') continue;
        const decision = this.reflector.getAllAndOverride<AccessDecision | undefined>(ACCESS_DECISION, [
          handler,
          metatype,
        ]);
        if (decision) decisions.set(operationIdOf(metatype.name, name), decision);
      }
    }
    return decisions;
  }

  private *listControllers(): Iterable<Type> {
    for (const { controllers } of this.modules.values()) {
      for (const { metatype } of controllers.values()) {
        if (typeof metatype === 'function') yield metatype as Type;
      }
    }
  }
}

const operationIdOf = (controller: string, method: string): string => `${controller}_${method}`;

function selectRoutes({ paths, schemas, decisions }: Routes, audience: Audience): SystemApi {
  const allowed = new Set(MAY_CALL[audience]);
  const selected = Object.entries(paths).flatMap(([path, item]): [string, PathItem][] => {
    const operations = METHODS.flatMap((method) => {
      const operation = item[method];
      const decision = operation && decisions.get(operation.operationId);
      return decision && allowed.has(decision) ? [[method, operation] as const] : [];
    });
    return operations.length === 0 ? [] : [[path, Object.fromEntries(operations)]];
  });
  return {
    paths: Object.fromEntries(selected),
    schemas,
    tags: Object.entries(TAG_DESCRIPTIONS).map(([name, description]) => ({ name, description })),
    protectedOperations: new Set(
      [...decisions].flatMap(([operationId, decision]) => (decision === 'public' ? [] : [operationId])),
    ),
  };
}
