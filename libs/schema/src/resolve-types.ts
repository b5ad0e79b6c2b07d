import type { TypeRow, TypeUse } from './catalog-rows.js';
import type { DataType, ScalarType } from './model.js';

/**
 * Gives the type of each use of a type. Equal uses give the same object.
 *
 * Spelling: types of `pg_catalog` as PostgreSQL formats them, all others with their schema, so that the text means the
 * same under every `search_path`.
 */
export function createTypeResolver(rows: readonly TypeRow[]): (use: TypeUse) => DataType {
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const resolved = new Map<string, DataType>();

  const find = (oid: number): TypeRow => {
    const row = byOid.get(oid);
    if (row === undefined) throw new Error(`Type ${oid} is used in the catalog but was not read with it.`);
    return row;
  };

  /** The type's name without modifiers. Not always what values should be cast to: see domains. */
  const nameOf = (row: TypeRow): string => {
    if (row.schema === 'pg_catalog') return row.formatted;
    return row.element === 0 ? row.qualified : `${nameOf(find(row.element))}[]`;
  };

  const spell = (row: TypeRow, use: TypeUse): string => {
    const name = nameOf(row);
    if (use.formatted === null) return name;
    // The part after the name: `(Point,4326)`. Only types of pg_catalog have their modifier elsewhere.
    return row.schema === 'pg_catalog' ? use.formatted : name + use.formatted.slice(row.formatted.length);
  };

  const resolve = (use: TypeUse): DataType => {
    const key = `${use.type}:${use.modifier}`;
    let type = resolved.get(key);
    if (type === undefined) {
      type = build(use);
      resolved.set(key, type);
    }
    return type;
  };

  const plain = (type: number): TypeUse => ({ type, modifier: -1, formatted: null });

  const build = (use: TypeUse): DataType => {
    const row = find(use.type);
    const { schema, name } = row;
    const spelling = { sql: spell(row, use), castSql: nameOf(row) };
    if (row.element !== 0) {
      const formatted = use.formatted?.replace(/\[\]$/, '') ?? null;
      const element = resolve({ type: row.element, modifier: use.modifier, formatted });
      const sql = row.schema === 'pg_catalog' ? spelling.sql : `${element.sql}[]`;
      return { kind: 'array', ...spelling, sql, element };
    }
    switch (row.kind) {
      case 'e':
        return { kind: 'enum', ...spelling, schema, name, values: row.labels ?? [] };
      case 'd': {
        const base = resolve({ type: row.base, modifier: row.baseModifier, formatted: row.baseFormatted });
        const { castSql } = base;
        const notNull = row.notNull || (base.kind === 'domain' && base.notNull);
        return {
          kind: 'domain',
          ...spelling,
          castSql,
          schema,
          name,
          base,
          notNull,
          checks: row.checks ?? [],
        };
      }
      case 'c': {
        const fields = (row.attributes ?? []).map((field) => ({ name: field.name, type: resolve(field) }));
        return { kind: 'composite', ...spelling, schema, name, fields };
      }
      case 'r':
      case 'm': {
        const subtype = resolve(plain(row.subtype ?? 0));
        return { kind: row.kind === 'r' ? 'range' : 'multirange', ...spelling, schema, name, subtype };
      }
      default:
        return { kind: 'scalar', ...spelling, name, ...modifierOf(row, use.modifier) };
    }
  };

  return resolve;
}

/** What `atttypmod` means; the layouts are those of PostgreSQL's `varchar.c`, `varbit.c` and `numeric.c`. */
function modifierOf(row: TypeRow, modifier: number): Pick<ScalarType, 'maxLength' | 'precision' | 'scale'> {
  if (modifier < 0 || row.schema !== 'pg_catalog') return {};
  switch (row.name) {
    case 'varchar':
    case 'bpchar':
      return { maxLength: modifier - 4 };
    case 'bit':
    case 'varbit':
      return { maxLength: modifier };
    case 'numeric': {
      const packed = modifier - 4;
      // Eleven bits in two's complement: negative scales exist since PostgreSQL 15.
      return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
    }
    default:
      return {};
  }
}
