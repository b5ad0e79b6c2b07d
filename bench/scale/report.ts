import type { ChangeResult } from './changes.js';
import type { AnswerResult } from './clients.js';
import type { FilterResult, ShapeResult } from './shapes.js';

const MB = 1024 * 1024;
const megabytes = (bytes: number): string => `${Math.round(bytes / MB)} MB`;
const times = (value: number, base: number): string => `${(value / base).toFixed(2)}x`;

const columns = (name: string, ...cells: readonly string[]): string =>
  name.padEnd(40) + cells.map((cell) => cell.padStart(11)).join('');

export const SHAPE_HEAD = columns(
  '',
  'start',
  'idle',
  'loaded',
  'heap',
  'req/s',
  'Node CPU',
  'PG CPU',
  'CPU ratio',
  'MB more',
);

/** One line; `small` is what the others are compared with. */
export const formatShape = (
  { name, startMs, idleBytes, bytes, heapBytes, load, nodeMs, postgresMs }: ShapeResult,
  small: ShapeResult,
): string =>
  columns(
    name,
    `${(startMs / 1000).toFixed(1)} s`,
    megabytes(idleBytes),
    megabytes(bytes),
    megabytes(heapBytes),
    String(Math.round(load.requests / load.seconds)),
    `${nodeMs.toFixed(2)} ms`,
    `${postgresMs.toFixed(2)} ms`,
    times(nodeMs + postgresMs, small.nodeMs + small.postgresMs),
    megabytes(bytes - small.bytes),
  );

export const formatFilters = ({ plans, backendBytes }: FilterResult): string =>
  `  plans in memory: ${plans}; the largest process of the database has ${megabytes(backendBytes)} of its own`;

export const formatAnswer = (result: AnswerResult): string => {
  const { name, answers, refused, receivedBytes, seconds, beforeBytes, peakBytes } = result;
  return (
    `${name}: ${answers} answered, ${refused} refused; ${megabytes(receivedBytes)} received in ` +
    `${seconds.toFixed(1)} s; memory ${megabytes(beforeBytes)} before, ${megabytes(peakBytes)} at most ` +
    `(${megabytes(peakBytes - beforeBytes)} more)`
  );
};

export const formatChange = ({ name, sortedMs }: ChangeResult): string => {
  const at = (share: number): string => (sortedMs[Math.round((sortedMs.length - 1) * share)] ?? 0).toFixed(1);
  return `${name.padEnd(48)} ${at(0.5)} ms in the middle, ${at(1)} ms at most`;
};
