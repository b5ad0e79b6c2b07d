import { buildMessage, ValidateBy } from 'class-validator';

/** A value whose JSON text has no more than so many characters. */
export const MaxJsonLength = (length: number): PropertyDecorator =>
  ValidateBy({
    name: 'maxJsonLength',
    constraints: [length],
    validator: {
      validate: (value: unknown) => JSON.stringify(value).length <= length,
      defaultMessage: buildMessage(() => `$property must be at most ${length} characters of JSON`),
    },
  });
