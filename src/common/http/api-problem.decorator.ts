import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { PROBLEMS, type ProblemType } from '../errors/problem.js';

/** Where the OpenAPI document keeps the schema of problem documents. */
export const PROBLEM_SCHEMA = '#/components/schemas/Problem';

/** Documents the problems that a route may answer with. */
export function ApiProblems(...types: readonly ProblemType[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ...[...groupByStatus(types)].map(([status, titles]) =>
      ApiResponse({
        status,
        description: `${titles.join('; ')}.`,
        content: { 'application/problem+json': { schema: { $ref: PROBLEM_SCHEMA } } },
      }),
    ),
  );
}

function groupByStatus(types: readonly ProblemType[]): Map<number, string[]> {
  const byStatus = new Map<number, string[]>();
  for (const type of types) {
    const { status, title } = PROBLEMS[type];
    byStatus.set(status, [...(byStatus.get(status) ?? []), title]);
  }
  return byStatus;
}
