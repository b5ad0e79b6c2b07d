import { ARRAY_UNIQUE, buildMessage, ValidateBy } from 'class-validator';

/** A list in which nothing is twice. `ArrayUnique` looks each element up in the list itself, however long that is. */
export const UniqueItems = (): PropertyDecorator =>
  ValidateBy({
    name: ARRAY_UNIQUE,
    validator: {
      validate: (value: unknown) => Array.isArray(value) && new Set(value).size === value.length,
      defaultMessage: buildMessage(() => '$property must have no element twice'),
    },
  });
