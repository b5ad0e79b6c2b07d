import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { Random } from '../kit/random.js';
import { CANARY } from './attack-world.js';
import { RequestWriter, type AttackRequest } from './request-grammar.js';

/** What an attack found, and with which request. */
export interface Finding {
  readonly kind: 'server-error' | 'leak' | 'no-problem' | 'tells-internals' | 'no-answer' | 'statement';
  readonly what: string;
  readonly request?: AttackRequest;
}

export interface FuzzOptions {
  readonly url: string;
  /** The credentials that are used in turn; null is none. */
  readonly keys: readonly (string | null)[];
  readonly seed: number;
  readonly count: number;
  /** Whether an answer may tell everything, as to administrators. */
  readonly mayTellAll?: boolean;
  /** Requests that are not to be sent. */
  readonly skip?: (request: AttackRequest) => boolean;
  /** Called after each hundredth part. */
  readonly onProgress?: () => Promise<void>;
}

export interface FuzzResult {
  readonly findings: readonly Finding[];
  readonly statuses: ReadonlyMap<number, number>;
}

const CONCURRENCY = 8;
const MAX_FINDINGS = 50;
/** How long an answer may take: far longer than one does. */
const PATIENCE_MS = 20_000;
/** What nobody outside needs to know: code, files, the driver, statements. */
const INTERNALS =
  /node_modules|\bat .*\.[jt]s:\d+|TypeError|ReferenceError|RangeError|syntax error at|pg_catalog|SELECT .* FROM/;

interface Answer {
  readonly status: number;
  readonly type: string;
  /** Headers and body, wherever anything could be told. */
  readonly text: string;
}

/** Sends random requests and judges every answer. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const random = new Random(options.seed);
  const writer = new RequestWriter(random);
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const findings: Finding[] = [];
  const statuses = new Map<number, number>();
  let sent = 0;
  const part = Math.max(1, Math.floor(options.count / 100));
  const attack = async (): Promise<void> => {
    while (sent < options.count && findings.length < MAX_FINDINGS) {
      sent += 1;
      if (sent % part === 0) await options.onProgress?.();
      const made = writer.write();
      const key = random.pick(options.keys);
      if (options.skip?.(made) === true) continue;
      const asked = key === null ? made : { ...made, headers: { ...made.headers, 'x-api-key': key } };
      const answer = await send(options.url, agent, asked, random.chance(0.02));
      if (answer === null) {
        findings.push({ kind: 'no-answer', what: 'the connection ended', request: asked });
        continue;
      }
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      findings.push(...judge(answer, asked, options.mayTellAll === true));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, attack));
  agent.destroy();
  return { findings, statuses };
}

function judge({ status, type, text }: Answer, asked: AttackRequest, mayTellAll: boolean): Finding[] {
  const found: Finding[] = [];
  const note = (kind: Finding['kind'], what: string): void => void found.push({ kind, what, request: asked });
  if (status >= 500 && status !== 501) note('server-error', `${status} ${text.slice(-600)}`);
  if (!mayTellAll && CANARY.test(text)) note('leak', CANARY.exec(text)?.[0] ?? '');
  if (status >= 400 && asked.method !== 'HEAD' && !type.startsWith('application/problem+json'))
    note('no-problem', `${status} ${type}`);
  if (!mayTellAll && INTERNALS.test(text) && !INTERNALS.test(JSON.stringify(asked)))
    note('tells-internals', text.slice(0, 600));
  return found;
}

/** Where no client library would send it, and now and then anyway, the request goes out as bytes. */
async function send(url: string, agent: Agent, asked: AttackRequest, isRaw: boolean): Promise<Answer | null> {
  if (isRaw) return sendBytes(url, asked);
  const { hostname, port } = new URL(url);
  const { method, target, body } = asked;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve) => {
    const sent = request(
      { hostname, port, agent, method, path: target, headers: { ...asked.headers, ...length } },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', () => resolve(null));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            text: `${response.rawHeaders.join('\n')}\n${Buffer.concat(parts).toString('utf8')}`,
          }),
        );
      },
    );
    sent.setTimeout(PATIENCE_MS, () => sent.destroy());
    sent.on('error', () => resolve(null));
    sent.end(body);
  });
}

function sendBytes(
  url: string,
  { method, target, headers, body = '' }: AttackRequest,
): Promise<Answer | null> {
  const { hostname, port } = new URL(url);
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostname}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => (text += part));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      const type = /^content-type: ([^\r]*)/im.exec(text)?.[1] ?? '';
      resolve(status === 0 ? null : { status, type, text });
    });
    // Not ended here: to Node, whoever has nothing more to say has gone.
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}
