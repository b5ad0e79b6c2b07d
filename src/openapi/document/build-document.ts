import { SESSION_COOKIE } from '../../common/http/index.js';
import type { AccessView } from '@plinth/query';
import type { Catalog } from '@plinth/schema';
import { ANSWER_SCHEMAS } from './answers.js';
import { BATCH_PATH, BATCH_SCHEMAS, BATCH_TAG, batchPath } from './batch-path.js';
import { listCollectionViews, type CollectionView } from './caller-view.js';
import { CollectionPaths } from './collection-paths.js';
import { Components } from './components.js';
import { INTRODUCTION } from './introduction.js';
import { asMarkdown } from './markdown.js';
import type { OpenApiDocument, PathItem, Tag } from './openapi-types.js';
import { RequestParameters, type DocumentLimits } from './parameters.js';
import { PROBLEM_SCHEMAS } from './problem-responses.js';
import { describeCollection, RecordSchemas } from './record-schemas.js';
import { completeSystemPaths, CREDENTIALS, type SystemApi } from './system-paths.js';

export interface DocumentOptions {
  readonly catalog: Catalog;
  /** What the caller may do with records. */
  readonly access: AccessView;
  readonly system: SystemApi;
  readonly limits: DocumentLimits;
  /** Of the server. */
  readonly version: string;
}

/**
 * The OpenAPI 3.1 document of everything that one caller can do: collections, fields and operations that it has no part
 * in are absent. Equal options give equal documents.
 */
export function buildDocument({
  catalog,
  access,
  system,
  limits,
  version,
}: DocumentOptions): OpenApiDocument {
  const components = new Components(limits.hasRateLimits, limits.hasReplicas);
  const views = listCollectionViews(catalog, access).filter(
    (view) => view.canRead || view.create || view.upsert || view.update || view.canDelete,
  );
  const systemPaths = completeSystemPaths(system, components);
  const reservedNames = new Set([
    ...Object.keys(system.schemas),
    ...PROBLEM_SCHEMAS,
    ...ANSWER_SCHEMAS,
    ...BATCH_SCHEMAS,
  ]);
  const schemas = new RecordSchemas(catalog, views, components, reservedNames);
  const parameters = new RequestParameters(components, schemas.types, limits);
  const systemTags = listSystemTags(system);
  const tags = tagCollections(views, [...systemTags.map(({ name }) => name), BATCH_TAG]);
  const tagOf = (view: CollectionView): Tag => tags.get(view) ?? { name: view.collection.name };
  const collectionPaths = new CollectionPaths(components, schemas, parameters, tagOf);
  const built = views.map((view) => ({ view, paths: collectionPaths.build(view) }));
  const documented = built.filter(({ paths }) => paths.length > 0);

  const paths = new Map<string, PathItem>(documented.flatMap((entry) => entry.paths));
  if (documented.length > 0) {
    const batch = batchPath(components, schemas, parameters, limits);
    paths.set(BATCH_PATH, { ...paths.get(BATCH_PATH), ...batch });
  }
  for (const [path, item] of Object.entries(systemPaths)) paths.set(path, { ...paths.get(path), ...item });

  return {
    openapi: '3.1.0',
    info: {
      title: 'Plinth',
      version,
      description: INTRODUCTION,
      contact: { name: 'The operator of this server' },
      license: { name: 'MIT (the server software; the records are their owner’s)', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server' }],
    security: [...CREDENTIALS, {}],
    tags: [
      ...documented.map(({ view }) => tagOf(view)),
      ...(documented.length > 0
        ? [{ name: BATCH_TAG, description: 'Several operations in one transaction.' }]
        : []),
      ...systemTags,
    ],
    paths: Object.fromEntries(paths),
    components: { ...withoutEmpty(components.toJSON()), securitySchemes: SECURITY_SCHEMES },
  };
}

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token or an API key: `Authorization: Bearer ...`.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key in a header of its own.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description:
      'The session of a browser, after a sign-in with `"session": "cookie"`. Over plain HTTP: `plinth`.',
  },
};

/** Tags that controllers use, each described. */
function listSystemTags(system: SystemApi): Tag[] {
  const used = new Set(
    Object.values(system.paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => ('tags' in operation ? (operation.tags ?? []) : [])),
    ),
  );
  const described = new Map(system.tags.map(({ name, description }) => [name, description]));
  return [...used].map((name) => ({ name, description: described.get(name) ?? `Operations on ${name}.` }));
}

/** A tag for each collection: its name, with something behind it where another tag is called so. */
function tagCollections(
  views: readonly CollectionView[],
  taken: readonly string[],
): Map<CollectionView, Tag> {
  const names = new Set([...taken, ...views.map(({ collection }) => collection.name)]);
  return new Map(
    views.map((view) => {
      let { name } = view.collection;
      if (taken.includes(name)) while (names.has(name)) name += ' (records)';
      names.add(name);
      const description = view.collection.comment
        ? describeCollection(view)
        : `Records of ${asMarkdown(view.collection.name)}.`;
      return [view, { name, description }];
    }),
  );
}

const withoutEmpty = <T extends object>(maps: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(maps).filter(([, map]) => Object.keys(map as object).length > 0),
  ) as Partial<T>;
