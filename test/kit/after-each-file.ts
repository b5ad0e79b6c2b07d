import { afterAll } from 'vitest';
import { stopLeftProcesses } from './plinth-process.js';

afterAll(stopLeftProcesses, 60_000);
