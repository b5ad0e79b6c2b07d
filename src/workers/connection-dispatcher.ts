import type { Socket } from 'node:net';
import type { WorkerProcess } from './worker-process.js';

interface Handed {
  readonly connection: Socket;
  readonly worker: WorkerProcess;
}

/**
 * Gives each connection to the worker that has the fewest. A connection stays open here until the worker has it, so that
 * one that was on its way to a worker that died is given to another: nothing was read from it yet.
 *
 * This is why it is not `node:cluster`: there such a connection is lost, and its client waits for ever.
 */
export class ConnectionDispatcher {
  /** Those that no worker is there for. */
  private readonly waiting: Socket[] = [];
  private readonly handed = new Map<number, Handed>();
  private lastId = 0;

  constructor(private readonly workers: Iterable<WorkerProcess>) {}

  dispatch(connection: Socket): void {
    // A client that leaves meanwhile is the worker's to notice.
    connection.on('error', () => {});
    this.assign(connection);
  }

  /** A worker has a connection that it was given. */
  noteTaken(id: number): void {
    this.handed.get(id)?.connection.destroy();
    this.handed.delete(id);
  }

  /** Gives to others what a dead worker had not taken yet. */
  reassign(dead: WorkerProcess): void {
    for (const [id, { connection, worker }] of this.handed) {
      if (worker !== dead) continue;
      this.handed.delete(id);
      this.assign(connection);
    }
  }

  /** Gives what waited to a worker that has come. */
  assignWaiting(): void {
    for (const connection of this.waiting.splice(0)) this.assign(connection);
  }

  /** Lets go of what nobody will serve any more. */
  close(): void {
    for (const connection of this.waiting.splice(0)) connection.destroy();
  }

  private assign(connection: Socket): void {
    const worker = this.findLeastBusy();
    if (worker === null) {
      this.waiting.push(connection);
      return;
    }
    this.lastId += 1;
    this.handed.set(this.lastId, { connection, worker });
    worker.give(this.lastId, connection);
  }

  private findLeastBusy(): WorkerProcess | null {
    let found: WorkerProcess | null = null;
    for (const worker of this.workers) {
      if (worker.isServing && (found === null || worker.connections < found.connections)) found = worker;
    }
    return found;
  }
}
