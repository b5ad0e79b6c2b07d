import type { ArrayType, Catalog, CompositeType, DataType, EnumType } from '@plinth/schema';
import { encodeQualified } from './component-names.js';
import type { Components } from './components.js';
import { objectProperties, required } from './object-properties.js';
import { readScalarSchema, writeScalarSchema } from './scalar-schemas.js';
import type { Schema } from './openapi-types.js';

export type Direction = 'read' | 'write';

/** Whether null is not among a type's values, whatever the column says. */
export const isNotNullType = (type: DataType): boolean =>
  type.kind === 'domain' && (type.notNull || isNotNullType(type.base));

/** The same schema with null allowed too. */
export function nullable(schema: Schema): Schema {
  if (Object.keys(schema).length === 0) return schema;
  const { type } = schema;
  const isPlain = type !== undefined && schema.enum === undefined && schema.anyOf === undefined;
  if (isPlain) return { ...schema, type: [...(typeof type === 'string' ? [type] : type), 'null'] };
  const { description, ...rest } = schema;
  const options = rest.anyOf ?? [rest];
  return { ...(description === undefined ? {} : { description }), anyOf: [...options, { type: 'null' }] };
}

/** Turns types of the catalog into schemas; enums and composites become components of their own. */
export class TypeSchemas {
  constructor(
    private readonly catalog: Pick<Catalog, 'schemas'>,
    private readonly components: Components,
  ) {}

  /** A value in a column. */
  column(type: DataType, isNullable: boolean, direction: Direction): Schema {
    const schema = this.value(type, direction, false);
    return isNullable ? nullable(schema) : schema;
  }

  /** A value that is not null. */
  private value(type: DataType, direction: Direction, isMember: boolean): Schema {
    switch (type.kind) {
      case 'scalar':
        // Only a column (or an array in one) has bytea as base64; inside a composite it is what to_json makes of it.
        if (isMember && type.name === 'bytea')
          return { type: 'string', pattern: String.raw`^\\x([0-9a-fA-F]{2})*$` };
        return direction === 'read' ? readScalarSchema(type) : writeScalarSchema(type);
      case 'enum':
        return this.enumeration(type);
      case 'domain':
        return this.value(type.base, direction, isMember);
      case 'array':
        return this.array(type, direction, isMember);
      case 'composite':
        return this.composite(type, direction);
      default:
        // Ranges and multiranges.
        return { type: 'string' };
    }
  }

  private enumeration(type: EnumType): Schema {
    const name = `${encodeQualified(this.catalog, type.schema, type.name)}-option`;
    // An enum may have no labels, and a schema's `enum` must have some; there is then no value to describe.
    return this.components.schema(name, () =>
      type.values.length === 0 ? { type: 'string' } : { type: 'string', enum: type.values },
    );
  }

  /** PostgreSQL fixes neither the number of dimensions nor that elements are not null. */
  private array(type: ArrayType, direction: Direction, isMember: boolean): Schema {
    const element = this.value(type.element, direction, isMember);
    const item = isNotNullType(type.element) ? element : nullable(element);
    if (Object.keys(item).length === 0) return { type: 'array', items: item };
    const further: Schema = { type: 'array', description: 'A further dimension.', items: {} };
    return { type: 'array', items: { anyOf: [...(item.anyOf ?? [item]), further] } };
  }

  private composite(type: CompositeType, direction: Direction): Schema {
    const base = encodeQualified(this.catalog, type.schema, type.name);
    return this.components.schema(
      direction === 'read' ? `${base}-composite` : `${base}-composite-input`,
      () => ({
        type: 'object',
        ...objectProperties(
          type.fields.map(({ name, type }): [string, Schema] => {
            const schema = this.value(type, direction, true);
            return [name, isNotNullType(type) ? schema : nullable(schema)];
          }),
        ),
        ...required(direction === 'read' ? type.fields.map(({ name }) => name) : []),
        additionalProperties: false,
      }),
    );
  }
}
