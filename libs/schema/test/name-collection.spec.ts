import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameCollection } from '../src/index.js';

describe('nameCollection', () => {
  const schemas = ['public', 'billing', 'a.b'];

  it('adds the schema outside of the first one, and where a dot would mislead', () => {
    expect(nameCollection('public', 'posts', schemas)).toBe('posts');
    expect(nameCollection('billing', 'invoices', schemas)).toBe('billing.invoices');
    expect(nameCollection('public', 'billing.invoices', schemas)).toBe('public.billing.invoices');
    expect(nameCollection('a.b', 'c', schemas)).toBe('"a.b".c');
    expect(nameCollection('a', 'b.c', schemas)).toBe('a.b.c');
  });

  it('never gives two tables one name', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '"'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(name, name, name, name, name, (first, schema, table, otherSchema, otherTable) => {
        fc.pre(schema !== otherSchema || table !== otherTable);
        const schemas = [first, schema, otherSchema];
        expect(nameCollection(schema, table, schemas)).not.toBe(
          nameCollection(otherSchema, otherTable, schemas),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
