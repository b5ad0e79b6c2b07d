import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServerProcess, type ServerProcess } from './server-process.js';

const SERVER = fileURLToPath(new URL('../limit/server.js', import.meta.url));

/** Starts the hand-written server. */
export const startLimit = (databaseUrl: string, logFolder: string): Promise<ServerProcess> =>
  startServerProcess({
    commandLine: [SERVER],
    databaseUrl,
    readyPath: '/posts/1',
    logPath: path.join(logFolder, 'limit.log'),
  });
