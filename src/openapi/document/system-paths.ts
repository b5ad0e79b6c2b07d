import type { Components } from './components.js';
import {
  METHODS,
  type Operation,
  type PathItem,
  type Reference,
  type Response,
  type Schema,
} from './openapi-types.js';
import { commonHeaders, isProblemStatus, problemResponses, type ProblemStatus } from './problem-responses.js';

/** The routes of controllers, as far as the caller may use them. */
export interface SystemApi {
  readonly paths: Readonly<Record<string, PathItem>>;
  /** All schemas that they refer to; others are left out of the document. */
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** Operations that need a credential. */
  readonly protectedOperations: ReadonlySet<string>;
  /** Operations that are never refused for the sake of others, nor counted. */
  readonly alwaysAnswered: ReadonlySet<string>;
}

/** Ways to say who asks, any one of which will do. */
export const CREDENTIALS: readonly Readonly<Record<string, readonly string[]>>[] = [
  { bearer: [] },
  { apiKey: [] },
  { session: [] },
];

export const NO_SYSTEM_API: SystemApi = {
  paths: {},
  schemas: {},
  tags: [],
  protectedOperations: new Set(),
  alwaysAnswered: new Set(),
};

/** Says of controllers' routes what holds for all of them, so that no controller has to: problems, security, strictness. */
export function completeSystemPaths(system: SystemApi, components: Components): Record<string, PathItem> {
  const inputs = new Set<string>();
  const paths = Object.entries(system.paths).map(([path, item]): [string, PathItem] => {
    const completed = METHODS.flatMap((method): [string, Operation][] => {
      const operation = item[method];
      if (!operation) return [];
      collectReferences(operation.requestBody, system.schemas, inputs);
      return [[method, completeOperation(path, operation, system, components)]];
    });
    return [path, Object.fromEntries(completed)];
  });
  const used = new Set<string>();
  collectReferences(paths, system.schemas, used);
  for (const name of used) {
    const schema = system.schemas[name];
    if (schema) components.schema(name, () => (inputs.has(name) ? refuseUnknownKeys(schema) : schema));
  }
  return Object.fromEntries(paths);
}

function completeOperation(
  path: string,
  operation: Operation,
  system: SystemApi,
  components: Components,
): Operation {
  const isProtected = system.protectedOperations.has(operation.operationId);
  // A wrong credential is one too many anywhere.
  const statuses: ProblemStatus[] = [400, 401, 414, 429, 431, 500, 503];
  if (isProtected) statuses.push(403);
  if (path.includes('{')) statuses.push(404);
  // What a body refers to may go away meanwhile.
  if (operation.requestBody) statuses.push(404, 413, 415, 422);
  const declared = Object.entries(operation.responses);
  const own = declared.filter(([status, response]) => Number(status) < 400 || hasContent(response));
  statuses.push(...declared.map(([status]) => Number(status)).filter(isProblemStatus));
  const described = new Set(own.map(([status]) => Number(status)));
  const isCounted = components.hasRateLimits && !system.alwaysAnswered.has(operation.operationId);
  const { security: _security, ...rest } = operation;
  return {
    ...rest,
    description: operation.description ?? `${operation.summary ?? operation.operationId}.`,
    ...(isProtected ? { security: CREDENTIALS } : {}),
    responses: {
      ...problemResponses(
        components,
        statuses.filter((status) => !described.has(status)),
      ),
      ...Object.fromEntries(
        own.map(([status, response]) => [
          status,
          describeResponse(response, isCounted ? commonHeaders(components) : {}),
        ]),
      ),
    },
  };
}

const hasContent = (response: Response | Reference): boolean =>
  '$ref' in response || ('content' in response && response.content !== undefined);

function describeResponse(
  response: Response | Reference,
  headers: Readonly<Record<string, Reference>>,
): Response | Reference {
  if ('$ref' in response) return response;
  const { description } = response;
  return {
    ...response,
    description: description === '' ? 'Done.' : description,
    ...(Object.keys(headers).length > 0 ? { headers: { ...headers, ...response.headers } } : {}),
  };
}

/** DTOs refuse keys that they do not declare. */
const refuseUnknownKeys = (schema: Schema): Schema =>
  schema.properties && schema.additionalProperties === undefined
    ? { ...schema, additionalProperties: false }
    : schema;

const SCHEMA_REFERENCE = /^#\/components\/schemas\/(.+)$/;

/** Names of the schemas that a part of the document refers to, directly or through others. */
function collectReferences(
  part: unknown,
  schemas: Readonly<Record<string, Schema>>,
  found: Set<string>,
): void {
  if (Array.isArray(part)) {
    for (const element of part) collectReferences(element, schemas, found);
  } else if (typeof part === 'object' && part !== null) {
    for (const [key, value] of Object.entries(part)) {
      const name =
        key === '$ref' && typeof value === 'string' ? SCHEMA_REFERENCE.exec(value)?.[1] : undefined;
      if (name === undefined) collectReferences(value, schemas, found);
      else if (!found.has(name)) {
        found.add(name);
        collectReferences(schemas[name], schemas, found);
      }
    }
  }
}
