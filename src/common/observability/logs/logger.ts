import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { PlinthConfig } from '../../config/index.js';

/** Structured logs. Also the injection token. */
export abstract class Logger {
  abstract trace(data: object, message: string): void;
  abstract debug(data: object, message: string): void;
  abstract info(data: object, message: string): void;
  abstract warn(data: object, message: string): void;
  abstract error(data: object, message: string): void;
  /** Where it is missing, lines of every level are wanted. */
  isLevelEnabled?(level: string): boolean;
}

/** Places where a credential could stand if somebody logged a whole request. */
const SECRET_PATHS = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
  'headers.authorization',
];

/** A pino logger as the configuration asks for it. Lines go to stderr, so that a command's stdout stays its answer. */
export function createLogger(
  config: Pick<PlinthConfig, 'logLevel' | 'logFormat'>,
  destination?: DestinationStream,
): PinoLogger {
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stderr.isTTY);
  const options = { level: config.logLevel, redact: { paths: SECRET_PATHS, censor: '***' } };
  return pretty
    ? pino({
        ...options,
        transport: {
          target: 'pino-pretty',
          options: { destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' },
        },
      })
    : pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}

/** Lets Nest's own messages go through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: PinoLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    // Nest tells every route and module at this level; that is detail to an operator.
    this.logger.debug(this.bindings(rest), String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    const stack = rest.find((part) => typeof part === 'string' && part.includes('\n    at '));
    this.logger.error({ ...this.bindings(rest), stack }, String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(this.bindings(rest), String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(this.bindings(rest), String(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace(this.bindings(rest), String(message));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal(this.bindings(rest), String(message));
  }

  private bindings(rest: readonly unknown[]): { context?: string } {
    const context = rest.at(-1);
    return typeof context === 'string' && !context.includes('\n') ? { context } : {};
  }
}
