import { STATUS_CODES } from 'node:http';
import { Problem, type ProblemOptions } from './problem.js';

/**
 * A problem that says no more than its status, which RFC 9457 calls `about:blank`: for what a host application throws
 * with a status that Plinth itself never answers.
 */
export class StatusProblem extends Problem {
  constructor(
    private readonly httpStatus: number,
    options: ProblemOptions,
  ) {
    super('internal-error', options);
  }

  override get status(): number {
    return this.httpStatus;
  }

  override get title(): string {
    return STATUS_CODES[this.httpStatus] ?? 'Error';
  }

  override get uri(): string {
    return 'about:blank';
  }
}
