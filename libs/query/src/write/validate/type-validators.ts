import type { ArrayType, CompositeType, DataType, ScalarType } from '@plinth/schema';
import { baseType } from '../../types.js';
import { ExactNumber, isJsonArray, isJsonObject, type JsonNode } from '../json-node.js';
import { fitsNumeric, floatValidator, integerValidator, numericValidator } from './number-validators.js';
import {
  base64Validator,
  bitValidator,
  booleanValidator,
  byteLimitedValidator,
  enumValidator,
  macAddressValidator,
  multirangeValidator,
  networkValidator,
  rangeValidator,
  textValidator,
  uuidValidator,
} from './text-validators.js';
import { dateValidator, intervalValidator, timestampValidator, timeValidator } from './time-validators.js';
import { failType, type ValuePlace, type ValueValidator } from './value-validator.js';

/** Makes the validator of a type. Values of types that are not known here are strings, which PostgreSQL judges. */
export function typeValidator(type: DataType): ValueValidator {
  switch (type.kind) {
    case 'scalar':
      return scalarValidator(type);
    case 'enum':
      return enumValidator(type);
    case 'domain':
      return typeValidator(type.base);
    case 'array':
      return arrayValidator(type);
    case 'composite':
      return compositeValidator(type);
    default:
      return type.kind === 'range' ? rangeValidator : multirangeValidator;
  }
}

/** Whether a value of the type may never be null, whatever the column says. */
export const isNotNullType = (type: DataType): boolean =>
  type.kind === 'domain' && (type.notNull || isNotNullType(type.base));

/** Texts that anything may be in. */
const FREE_TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'bit', 'varbit', 'numeric']);

/** Whether a value that passed its validator is sure to be taken; the others PostgreSQL may still refuse. */
export function isFullyValidated(type: DataType): boolean {
  switch (type.kind) {
    case 'scalar':
      return (SCALARS.has(type.name) && type.name !== 'cidr') || FREE_TEXTS.has(type.name);
    case 'domain':
      return isFullyValidated(type.base);
    case 'array':
      return isFullyValidated(type.element);
    case 'composite':
      return type.fields.every((field) => isFullyValidated(field.type));
    default:
      return type.kind === 'enum';
  }
}

const SCALARS: ReadonlyMap<string, ValueValidator> = new Map([
  ['bool', booleanValidator],
  ['int2', integerValidator(-(2n ** 15n), 2n ** 15n - 1n)],
  ['int4', integerValidator(-(2n ** 31n), 2n ** 31n - 1n)],
  ['int8', integerValidator(-(2n ** 63n), 2n ** 63n - 1n)],
  ['float4', floatValidator(32)],
  ['float8', floatValidator(64)],
  ['name', byteLimitedValidator(63)],
  ['char', byteLimitedValidator(1)],
  ['uuid', uuidValidator],
  ['date', dateValidator],
  ['time', timeValidator(false)],
  ['timetz', timeValidator(true)],
  ['timestamp', timestampValidator(false)],
  ['timestamptz', timestampValidator(true)],
  ['interval', intervalValidator],
  ['bytea', base64Validator],
  ['inet', networkValidator],
  ['cidr', networkValidator],
  ['macaddr', macAddressValidator(6)],
  ['macaddr8', macAddressValidator(8)],
  ['json', jsonValidator],
  ['jsonb', jsonValidator],
]);

function scalarValidator(type: ScalarType): ValueValidator {
  if (type.name === 'numeric') return numericValidator(type);
  if (type.name === 'bit' || type.name === 'varbit') return bitValidator(type);
  return SCALARS.get(type.name) ?? textValidator(type.maxLength);
}

/** Any JSON that jsonb can hold, and that no client stumbles over later. */
function jsonValidator(value: JsonNode, place: ValuePlace): JsonNode {
  if (isJsonArray(value)) {
    value.forEach((element, index) => {
      if (isPart(element)) jsonValidator(element, place.child(index));
    });
  } else if (isJsonObject(value)) {
    for (const [key, member] of value) {
      // Kept as data it would do no harm here, but many a client merges what it got into objects of its own.
      if (key === '__proto__') place.child(key).fail('forbidden-key', 'is not allowed as a key');
      if (isPart(member)) jsonValidator(member, place.child(key));
    }
  } else if (value instanceof ExactNumber && !fitsNumeric(value)) {
    place.fail('out-of-range', 'is too large or too precise a number');
  }
  return value;
}

/** Whether there may be anything wrong inside; spares making a place for each plain value. */
const isPart = (value: JsonNode): boolean => typeof value === 'object' && value !== null;

/** What PostgreSQL allows. */
const MAX_DIMENSIONS = 6;

/** An array of any number of dimensions; as PostgreSQL has them, all rows of a dimension are equally long. */
function arrayValidator(type: ArrayType): ValueValidator {
  const validateElement = typeValidator(type.element);
  const isNotNull = isNotNullType(type.element);
  const element = baseType(type.element);
  // Decoded from base64 one by one, in the statement; that has no way to keep further dimensions.
  const maxDimensions = element.kind === 'scalar' && element.name === 'bytea' ? 1 : MAX_DIMENSIONS;
  const validate = (
    values: readonly JsonNode[],
    place: ValuePlace,
    dimension: number,
  ): readonly JsonNode[] => {
    if (dimension > maxDimensions) {
      place.fail('type', `must have at most ${maxDimensions} dimension${maxDimensions === 1 ? '' : 's'}`);
      return values;
    }
    const [first] = values;
    if (dimension > 1 && values.length === 0)
      place.fail('type', 'must not be an empty array inside an array');
    const width = first !== undefined && isJsonArray(first) ? first.length : null;
    let isChanged = false;
    const checked = values.map((value, index) => {
      const found = isJsonArray(value) ? value.length : null;
      if (found !== width && (value !== null || width !== null)) {
        place.child(index).fail('type', 'must be like the first element: arrays of one length, or none');
        return value;
      }
      const next = isJsonArray(value)
        ? validate(value, place.child(index), dimension + 1)
        : validateOne(value, place, index);
      if (next !== value) isChanged = true;
      return next;
    });
    return isChanged ? checked : values;
  };
  const validateOne = (value: JsonNode, place: ValuePlace, index: number): JsonNode => {
    if (value !== null) return validateElement(value, place.child(index));
    if (isNotNull) place.child(index).fail('not-null', 'must not be null');
    return value;
  };
  return (value, place) =>
    isJsonArray(value) ? validate(value, place, 1) : failType(value, place, 'an array');
}

/** An object with the composite's fields; members that are left out are null. */
function compositeValidator(type: CompositeType): ValueValidator {
  const fields = new Map(type.fields.map((field) => [field.name, memberValidator(field.type)]));
  return (value, place) => {
    if (!isJsonObject(value)) return failType(value, place, 'an object');
    const checked = new Map<string, JsonNode>();
    let isChanged = false;
    for (const [key, member] of value) {
      const validate = fields.get(key);
      if (validate) {
        const next = validate(member, place.child(key));
        if (next !== member) isChanged = true;
        checked.set(key, next);
      } else place.child(key).fail('unknown-field', 'is not a field');
    }
    return isChanged ? checked : value;
  };
}

/** In a composite, where no column says base64, bytea is what `to_json` makes of it: hex. */
const hexValidator: ValueValidator = (value, place) => {
  if (typeof value !== 'string') return failType(value, place, 'a hex string');
  if (!/^\\x(?:[\da-f]{2})*$/i.test(value)) place.fail('format', String.raw`must be hex such as \x00ff`);
  return value;
};

function memberValidator(type: DataType): ValueValidator {
  const validate = type.kind === 'scalar' && type.name === 'bytea' ? hexValidator : typeValidator(type);
  return (value, place) => {
    if (value !== null) return validate(value, place);
    if (isNotNullType(type)) place.fail('not-null', 'must not be null');
    return value;
  };
}
