import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/index.js';

/**
 * What a statement fails with when it was compiled for a schema that is no more: undefined table, column, function or
 * object, a type that changed, a cached plan whose result changed.
 */
const STALE_CODES = new Set(['42P01', '42703', '42883', '42704', '42804', '42846', '0A000', '3F000']);

/** Does a request again, once, when the schema changed under it. */
@Injectable()
export class SchemaChangeRetry {
  constructor(private readonly catalog: CatalogService) {}

  /** `attempt` plans anew each time it is called, and has changed nothing when it fails. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { version } = this.catalog.current();
    try {
      return await attempt();
    } catch (error) {
      if (!isStale(error)) throw error;
      const refreshed = await this.catalog.refresh();
      // Nothing changed: the mistake is not of the schema.
      if (refreshed.version === version && !isCachedPlan(error)) throw error;
      return attempt();
    }
  }
}

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === 'string' ? code : '';
};

const isStale = (error: unknown): boolean => STALE_CODES.has(codeOf(error));

/** The plan of a named statement on one connection is old, while the catalog is not. */
const isCachedPlan = (error: unknown): boolean =>
  codeOf(error) === '0A000' && error instanceof Error && error.message.includes('cached plan');
