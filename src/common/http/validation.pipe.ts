import {
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
  type ValidationError,
} from '@nestjs/common';
import { Problem, type ProblemDetail } from '../errors/index.js';
import { unknownParameter } from './no-parameters.decorator.js';
import { PROTOTYPE_NAMES } from './parse-json.js';

/**
 * DTOs as written: unknown keys refused, nothing converted in a body, every mistake with its place. A query parameter's
 * place is `?name`, a body member's its JSON pointer.
 */
export function createValidationPipe(): PipeTransform {
  const bodies = createPipe(bodyProblem);
  const queries = createPipe(parameterProblem);
  return {
    transform(value: unknown, metadata: ArgumentMetadata): unknown {
      if (metadata.type === 'body') refuseOtherThanObject(value, metadata);
      if (metadata.type !== 'query') return bodies.transform(value, metadata);
      refusePrototypeNames(value);
      return queries.transform(value, metadata);
    },
  };
}

const createPipe = (exceptionFactory: (errors: ValidationError[]) => Problem): ValidationPipe =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory,
  });

const BUILT_IN: ReadonlySet<unknown> = new Set([undefined, Object, Array, String, Number, Boolean, Buffer]);

/** The members that an array or a text lacks say little of what is wrong. */
function refuseOtherThanObject(value: unknown, { metatype }: ArgumentMetadata): void {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  // Without a body, the members that are missing say what it should be.
  if (isObject || value === undefined || BUILT_IN.has(metatype)) return;
  throw new Problem('invalid-request', { detail: 'The body must be a JSON object.' });
}

/** class-transformer drops what is called so, and validation would not see it. */
function refusePrototypeNames(query: unknown): void {
  for (const name of Object.keys(query ?? {})) if (PROTOTYPE_NAMES.has(name)) throw unknownParameter(name);
}

/** Most clients cannot use more, and a body must not become a larger answer. */
const MAX_DETAILS = 100;

function bodyProblem(errors: readonly ValidationError[]): Problem {
  const details = errors.flatMap((error) => listDetails(error, '')).slice(0, MAX_DETAILS);
  const isUnknown = details.length > 0 && details.every(({ code }) => code === 'unknown-field');
  return new Problem(isUnknown ? 'unknown-field' : 'invalid-request', {
    detail: details.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
    errors: details,
  });
}

function parameterProblem(errors: readonly ValidationError[]): Problem {
  const details = errors
    .flatMap((error) => listDetails(error, ''))
    .slice(0, MAX_DETAILS)
    .map(({ pointer, code, message }) =>
      code === 'unknown-field'
        ? { pointer: `?${pointer.slice(1)}`, code: 'unknown-parameter', message: 'is not known' }
        : { pointer: `?${pointer.slice(1)}`, code, message },
    );
  const isUnknown = details.length > 0 && details.every(({ code }) => code === 'unknown-parameter');
  return new Problem(isUnknown ? 'unknown-parameter' : 'invalid-parameter', {
    detail: details.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
    errors: details,
  });
}

function listDetails(error: ValidationError, parent: string): ProblemDetail[] {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
    pointer,
    code: constraint === 'whitelistValidation' ? 'unknown-field' : kebab(constraint),
    // class-validator begins its messages with the property, or with a whole sentence of its own.
    message:
      constraint === 'whitelistValidation' ? 'is not a field' : message.replace(`${error.property} `, ''),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => listDetails(child, pointer))];
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
