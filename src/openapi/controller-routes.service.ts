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
import { ACCESS_DECISION, isMarkedAlwaysAnswered, type AccessDecision } from '../common/http/index.js';
import { METHODS, type PathItem, type Schema } from './document/openapi-types.js';
import type { SystemApi } from './document/system-paths.js';
import { TAG_DESCRIPTIONS } from './tag-descriptions.js';

/** How far into the controllers a caller gets. */
interface Audience {
  readonly level: 'public' | 'authenticated' | 'admin';
  /** Those of the caller's roles that some route is for. */
  readonly roles: readonly string[];
}

const levelOf = ({ kind, roles }: Actor): Audience['level'] =>
  roles.includes('admin') ? 'admin' : kind === 'public' ? 'public' : 'authenticated';

function mayCall({ level, roles }: Audience, decision: AccessDecision): boolean {
  if (decision === 'public' || level === 'admin') return true;
  if (level === 'public' || decision === 'admin') return false;
  return decision === 'authenticated' || decision.roles.some((role) => roles.includes(role));
}

interface Routes {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly schemas: Readonly<Record<string, Schema>>;
  /** By operation id. */
  readonly decisions: ReadonlyMap<string, AccessDecision>;
  /** Roles that routes are for. */
  readonly roleNames: ReadonlySet<string>;
  readonly alwaysAnswered: ReadonlySet<string>;
}

/** What the controllers of the application declare of themselves through @nestjs/swagger, a host's own included. */
@Injectable()
export class ControllerRoutes {
  private routes: Routes | undefined;
  private readonly apis = new Map<string, SystemApi>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly reflector: Reflector,
  ) {}

  /**
   * The routes that a caller may call, and a key that is the same for all who may call the same ones. To be asked when the
   * application is complete.
   */
  listFor(actor: Actor): { readonly api: SystemApi; readonly key: string } {
    this.routes ??= this.readRoutes();
    const { roleNames } = this.routes;
    const audience = {
      level: levelOf(actor),
      roles: roleNames.size === 0 ? [] : actor.roles.filter((role) => roleNames.has(role)),
    };
    const key = [audience.level, ...audience.roles].join(',');
    let api = this.apis.get(key);
    if (!api) {
      api = selectRoutes(this.routes, audience);
      this.apis.set(key, api);
    }
    return { api, key };
  }

  private readRoutes(): Routes {
    const { decisions, alwaysAnswered } = this.readHandlers();
    const options = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
    const { paths, components } = SwaggerModule.createDocument(this.asApplication(), options, {
      operationIdFactory: operationIdOf,
    });
    return {
      // The library's types are of OpenAPI 3.0; with the version above it writes 3.1.
      paths: paths as unknown as Record<string, PathItem>,
      schemas: (components?.schemas ?? {}) as unknown as Record<string, Schema>,
      decisions,
      roleNames: new Set(
        [...decisions.values()].flatMap((decision) => (typeof decision === 'string' ? [] : decision.roles)),
      ),
      alwaysAnswered,
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
  private readHandlers(): Pick<Routes, 'decisions' | 'alwaysAnswered'> {
    const decisions = new Map<string, AccessDecision>();
    const alwaysAnswered = new Set<string>();
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
        if (isMarkedAlwaysAnswered(handler)) alwaysAnswered.add(operationIdOf(metatype.name, name));
      }
    }
    return { decisions, alwaysAnswered };
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

function selectRoutes({ paths, schemas, decisions, alwaysAnswered }: Routes, audience: Audience): SystemApi {
  const selected = Object.entries(paths).flatMap(([path, item]): [string, PathItem][] => {
    const operations = METHODS.flatMap((method) => {
      const operation = item[method];
      const decision = operation && decisions.get(operation.operationId);
      return decision && mayCall(audience, decision) ? [[method, operation] as const] : [];
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
    alwaysAnswered,
  };
}
