import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

/** What answers that wait for their clients may take together, in bytes; beyond the second limit nobody has patience. */
const MAX_BYTES = 24 * 1024 ** 2;
const MOST_BYTES = 64 * 1024 ** 2;
/** How long a client may be at its answer for sure, unless the second limit is reached. */
const PATIENCE_MS = 500;
const SWEEP_MS = 100;

/** Bytes that are written and not sent yet, and since when there have been some; of one connection. */
export interface UnreadAnswer {
  readonly socket: Pick<Socket, 'destroy'>;
  readonly sizeBytes: number;
  readonly ageMs: number;
}

/**
 * Which connections have to go so that what is left fits: those whose clients have been at their answers for longest. A
 * client that takes an answer as fast as it can is done with it soon; one that hardly reads is what is oldest. The last
 * one may stay, for a single large answer harms nobody.
 */
export function chooseUnread(answers: readonly UnreadAnswer[]): readonly UnreadAnswer[] {
  let total = answers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const chosen: UnreadAnswer[] = [];
  for (const answer of answers.toSorted((one, other) => other.ageMs - one.ageMs)) {
    const isPatienceOver = answer.ageMs >= PATIENCE_MS || total > MOST_BYTES;
    if (total <= MAX_BYTES || !isPatienceOver || chosen.length === answers.length - 1) break;
    total -= answer.sizeBytes;
    chosen.push(answer);
  }
  return chosen;
}

/** Keeps clients that read slowly from holding much memory, however many they are. */
export function boundUnread(server: Server | HttpsServer, isTls: boolean, note: () => void): void {
  /** Each connection, and since when something waits for its client. */
  const connections = new Map<Socket, number | null>();
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.set(socket, null);
    socket.once('close', () => connections.delete(socket));
  });
  const timer = setInterval(() => {
    const answers = listUnread(connections, performance.now());
    for (const { socket } of chooseUnread(answers)) {
      socket.destroy();
      note();
    }
  }, SWEEP_MS).unref();
  server.once('close', () => clearInterval(timer));
}

function listUnread(connections: Map<Socket, number | null>, nowMs: number): UnreadAnswer[] {
  const answers: UnreadAnswer[] = [];
  for (const [socket, sinceMs] of connections) {
    const { writableLength: sizeBytes } = socket;
    if (sizeBytes === 0) {
      if (sinceMs !== null) connections.set(socket, null);
      continue;
    }
    if (sinceMs === null) connections.set(socket, nowMs);
    answers.push({ socket, sizeBytes, ageMs: nowMs - (sinceMs ?? nowMs) });
  }
  return answers;
}
