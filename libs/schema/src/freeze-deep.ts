/**
 * Freezes plain data all the way down. A `Map` cannot be frozen; its values are, and its type is `ReadonlyMap`.
 * What is frozen already is taken to be frozen below.
 */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of value instanceof Map ? value.values() : Object.values(value)) freezeDeep(part);
  return value;
}
