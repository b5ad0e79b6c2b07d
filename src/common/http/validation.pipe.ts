import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { Problem, type ProblemDetail } from '../errors/index.js';

/** DTOs as written: unknown keys refused, nothing converted in a body, every mistake with its place. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const details = errors.flatMap((error) => listDetails(error, ''));
      const unknown = details.length > 0 && details.every(({ code }) => code === 'unknown-field');
      return new Problem(unknown ? 'unknown-field' : 'invalid-request', {
        detail: details.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
        errors: details,
      });
    },
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
