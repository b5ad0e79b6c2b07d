import { availableParallelism } from 'node:os';
import type { PlinthConfig } from './plinth-config.js';

/** How many processes serve. */
export const countWorkers = ({ workers }: Pick<PlinthConfig, 'workers'>): number =>
  workers === 'auto' ? availableParallelism() : workers;
