import type { ComponentMaps, Header, Parameter, Reference, Response, Schema } from './openapi-types.js';

interface Kinds {
  schemas: Schema;
  parameters: Parameter;
  responses: Response;
  headers: Header;
}

/**
 * The reusable parts of one document. Only what something refers to is built, so that a document holds nothing that it
 * does not use. Building waits until `toJSON`: schemas refer to each other in circles, and in chains that are as long as
 * there are tables, which no call stack should follow.
 */
export class Components {
  private readonly maps: { [K in keyof Kinds]: Map<string, Kinds[K] | null> } = {
    schemas: new Map(),
    parameters: new Map(),
    responses: new Map(),
    headers: new Map(),
  };
  private readonly waiting: (() => void)[] = [];

  constructor(
    /** Whether answers tell how many requests the caller has left. */
    readonly hasRateLimits: boolean,
    /** Whether answers to writes tell what a later read may ask to see. */
    readonly hasReplicas: boolean,
  ) {}

  schema(name: string, build: () => Schema): Reference {
    return this.refer('schemas', name, build);
  }

  parameter(name: string, build: () => Parameter): Reference {
    return this.refer('parameters', name, build);
  }

  response(name: string, build: () => Response): Reference {
    return this.refer('responses', name, build);
  }

  header(name: string, build: () => Header): Reference {
    return this.refer('headers', name, build);
  }

  toJSON(): Omit<ComponentMaps, 'securitySchemes'> {
    for (let build = this.waiting.pop(); build; build = this.waiting.pop()) build();
    const { schemas, parameters, responses, headers } = this.maps;
    return {
      schemas: built(schemas),
      parameters: built(parameters),
      responses: built(responses),
      headers: built(headers),
    };
  }

  private refer<K extends keyof Kinds>(kind: K, name: string, build: () => Kinds[K]): Reference {
    const map: Map<string, Kinds[K] | null> = this.maps[kind];
    if (!map.has(name)) {
      map.set(name, null);
      this.waiting.push(() => map.set(name, build()));
    }
    return { $ref: `#/components/${kind}/${name}` };
  }
}

function built<T>(map: ReadonlyMap<string, T | null>): Record<string, T> {
  const entries = [...map].flatMap(([name, part]): [string, T][] => (part === null ? [] : [[name, part]]));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
