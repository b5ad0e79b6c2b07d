import type { Schema } from './openapi-types.js';

/**
 * Properties of an object by name. Tools read documents into plain objects, where the key `__proto__` sets the prototype
 * instead of a member: a column of that name stands as a pattern.
 */
export function objectProperties(
  entries: Iterable<readonly [name: string, schema: Schema]>,
): Pick<Schema, 'properties' | 'patternProperties'> {
  const properties = new Map(entries);
  const prototype = properties.get('__proto__');
  properties.delete('__proto__');
  return {
    properties: Object.fromEntries(properties),
    ...(prototype === undefined ? {} : { patternProperties: { '^__proto__$': prototype } }),
  };
}

/** `required`, which may not be empty, and names only what is among `properties`. */
export function required(names: readonly string[]): Pick<Schema, 'required'> {
  const listed = names.filter((name) => name !== '__proto__');
  return listed.length === 0 ? {} : { required: listed };
}
