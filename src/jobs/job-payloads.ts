import { Injectable } from '@nestjs/common';
import { instanceToPlain, plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { seal, ServerSecret, unseal } from '../common/secrets/index.js';
import { PermanentFailure, type JobDefinition } from './job-definition.js';

interface Sealed {
  readonly sealed: string;
}

/** Added by graphile-worker to what a schedule puts in the queue. */
const SCHEDULE_MEMBER = '_cron';

/** Payloads as they are kept: checked, and encrypted where they hold secrets. */
@Injectable()
export class JobPayloads {
  private key: Buffer | undefined;

  constructor(private readonly secret: ServerSecret) {}

  /** @throws Error that says what is wrong with the payload */
  async encode<Payload extends object>(
    definition: JobDefinition<Payload>,
    payload: Payload,
  ): Promise<string> {
    const text = JSON.stringify(instanceToPlain(await check(definition, payload)));
    if (!definition.isSealed) return text;
    const sealed = seal(Buffer.from(text), this.sealingKey, definition.name).toString('base64');
    return JSON.stringify({ sealed } satisfies Sealed);
  }

  /**
   * @throws PermanentFailure for a payload that is not one of this job; Error for one that another secret has sealed, which
   *   another process may be able to open
   */
  async decode(definition: JobDefinition, kept: unknown): Promise<object> {
    const plain = definition.isSealed ? this.open(definition.name, kept) : kept;
    const { [SCHEDULE_MEMBER]: _schedule, ...payload } = plain as Record<string, unknown>;
    try {
      return await check(definition, payload);
    } catch (error) {
      throw new PermanentFailure((error as Error).message, { cause: error });
    }
  }

  private get sealingKey(): Buffer {
    this.key ??= this.secret.deriveKey('jobs');
    return this.key;
  }

  private open(name: string, kept: unknown): unknown {
    const { sealed } = kept as Partial<Sealed>;
    if (typeof sealed !== 'string') throw new PermanentFailure('The payload is not sealed.');
    const opened = unseal(Buffer.from(sealed, 'base64'), this.sealingKey, name);
    if (opened === null) throw new Error('The payload was sealed with another secret; see PLINTH_SECRET.');
    return JSON.parse(opened.toString());
  }
}

async function check<Payload extends object>(
  { name, payload: type }: JobDefinition<Payload>,
  given: object,
): Promise<Payload> {
  const payload = given instanceof type ? given : plainToInstance(type, given);
  const faults = await validate(payload, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
  });
  if (faults.length === 0) return payload;
  // Without the values, which may be secret.
  const reasons = faults.map(({ property, constraints }) =>
    [property, ...Object.values(constraints ?? {})].join(': '),
  );
  throw new Error(`The payload of a job "${name}" is not valid: ${reasons.join('; ')}`);
}
