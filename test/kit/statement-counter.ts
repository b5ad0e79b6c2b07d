import { connect, createServer, type Socket } from 'node:net';
import type { TestDatabase } from './database.js';

const BIND = 'B'.charCodeAt(0);
const EXECUTE = 'E'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const QUERY = 'Q'.charCodeAt(0);

/**
 * What the server asks from time to time on its own account: whether its connection lives, whether schema or rules have
 * changed and, after a change, who a known key is and which keys sign.
 */
const BACKGROUND =
  /^(SELECT 1|LISTEN .*)$|\bpg_class\b|\bpg_event_trigger\b|\bplinth\.(access|identity)_state\b|\bplinth"?\."?(api|signing)_keys\b/;

/** A statement as it went over the wire, its parameters as texts. */
export interface SeenStatement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/** A database seen through a proxy that counts what the server asks of it. */
export interface CountedDatabase {
  readonly database: TestDatabase;
  /** How many statements went over the wire while `work` ran, on all connections. */
  count(work: () => Promise<unknown>): Promise<number>;
  /** Their texts, in the order in which they were run. */
  list(work: () => Promise<unknown>): Promise<readonly string[]>;
  /** The same with their parameters. */
  record(work: () => Promise<unknown>): Promise<readonly SeenStatement[]>;
  close(): Promise<void>;
}

/**
 * Counts statements where nothing can hide them: in the bytes between server and PostgreSQL. Every statement is either a
 * message `Execute` (prepared, or with parameters) or `Query` (plain text).
 */
export async function countStatements(database: TestDatabase): Promise<CountedDatabase> {
  const { hostname, port } = new URL(database.url);
  let statements: SeenStatement[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    const messages = new StatementReader((statement) => {
      if (!BACKGROUND.test(statement.text)) statements.push(statement);
    });
    near.on('data', (bytes) => {
      messages.read(bytes);
      far.write(bytes);
    });
    far.on('data', (bytes) => near.write(bytes));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const record = async (work: () => Promise<unknown>): Promise<readonly SeenStatement[]> => {
    statements = [];
    await work();
    return statements;
  };
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    database: { ...database, url: url.href },
    count: async (work) => (await record(work)).length,
    list: async (work) => (await record(work)).map(({ text }) => text),
    record,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => proxy.close(() => resolve()));
    },
  };
}

/** Splits what a client sends into messages, and tells the text of each statement that it has run. */
class StatementReader {
  private rest = Buffer.alloc(0);
  private hasStarted = false;
  private readonly prepared = new Map<string, string>();
  private bound: SeenStatement = { text: '', values: [] };

  constructor(private readonly onStatement: (statement: SeenStatement) => void) {}

  /** The first message has no type; all others are type, length, content. */
  read(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (;;) {
      const head = this.hasStarted ? 1 : 0;
      if (this.rest.length < head + 4) return;
      const length = head + this.rest.readUInt32BE(head);
      if (this.rest.length < length) return;
      if (this.hasStarted) this.readMessage(this.rest.readUInt8(0), this.rest.subarray(5, length));
      this.hasStarted = true;
      this.rest = this.rest.subarray(length);
    }
  }

  private readMessage(type: number, content: Buffer): void {
    const [first = '', second = ''] = content.toString('latin1').split('\0', 2);
    if (type === QUERY) this.onStatement({ text: first, values: [] });
    else if (type === PARSE) this.prepared.set(first, second);
    else if (type === BIND) {
      const values = readValues(content.subarray(first.length + second.length + 2));
      this.bound = { text: this.prepared.get(second) ?? '', values };
    } else if (type === EXECUTE) this.onStatement(this.bound);
  }
}

/** Of a message `Bind`, from the number of its formats on; all values of the driver are texts. */
function readValues(content: Buffer): (string | null)[] {
  let at = 2 + content.readInt16BE(0) * 2;
  const count = content.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = content.readInt32BE(at);
    const start = at + 4;
    at = start + Math.max(0, length);
    return length < 0 ? null : content.toString('utf8', start, at);
  });
}
