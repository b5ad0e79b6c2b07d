import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AccessService } from '../access/index.js';
import { CatalogService } from '../catalog/index.js';
import { PlinthConfig, queryLimits } from '../common/config/index.js';
import type { RequestContext } from '../common/context/index.js';
import { VERSION } from '../common/version.js';
import { ControllerRoutes } from './controller-routes.service.js';
import { buildDocument } from './document/build-document.js';
import type { DocumentLimits } from './document/parameters.js';

/** Documents of different callers that are kept, by the size of their text. */
const CACHE_BYTES = 64 * 1024 ** 2;

export interface ServedDocument {
  /** JSON. */
  readonly text: string;
  /** Of the content: it tells nothing of changes that the caller cannot see. */
  readonly etag: string;
}

/** The OpenAPI documents of callers; built once for each version of the schema and set of rules. */
@Injectable()
export class Documents {
  private readonly cache = new LRUCache<string, ServedDocument>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ text }) => text.length,
  });
  private readonly limits: DocumentLimits;

  constructor(
    private readonly catalog: CatalogService,
    private readonly access: AccessService,
    private readonly routes: ControllerRoutes,
    config: PlinthConfig,
  ) {
    this.limits = {
      ...queryLimits(config),
      maxBatchOperations: config.maxBatchOperations,
      hasRateLimits: config.rateLimit !== null || config.publicRateLimit !== null,
      hasReplicas: config.replicaUrls.length > 0,
    };
  }

  getFor({ actor }: RequestContext): ServedDocument {
    const catalog = this.catalog.current();
    const access = this.access.viewFor(actor.roles);
    const { api: system, key: audience } = this.routes.listFor(actor);
    const key = `${catalog.version} ${audience} ${access.key}`;
    let served = this.cache.get(key);
    if (!served) {
      const document = buildDocument({ catalog, access, system, limits: this.limits, version: VERSION });
      const text = JSON.stringify(document);
      served = { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
      this.cache.set(key, served);
    }
    return served;
  }
}
