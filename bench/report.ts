import { cpus, release, totalmem, type } from 'node:os';
import type { Sample, SideName } from './measure/run-workload.js';
import type { Spread, Summary } from './measure/summarise.js';
import type { Workload } from './workloads.js';

/** How much longer than the limit's Plinth's 99th percentile may be. */
const P99_TARGET = 1.2;

/** The machine, for those who compare figures. */
export function describeMachine(postgresVersion: string, loadGenerator: string): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return [
    `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${type()} ${release()}`,
    `Node ${process.versions.node}, PostgreSQL ${postgresVersion} (embedded, durable), load by ${loadGenerator}`,
  ].join('\n');
}

/** Figures taken while others had more of the machine than this are to be doubted. */
const MAX_FOREIGN_SHARE = 0.05;

const COLUMNS = ['req/s', 'p50 ms', 'p99 ms', 'Node ms/req', 'Postgres ms/req'];
const NAME_WIDTH = 9;

/** The figures of one workload. */
export function formatSummary({ id, title, targetRatio }: Workload, summary: Summary): string {
  const { throughputRatio, cpuRatio, p99Ratio, foreignShare } = summary;
  return [
    '',
    `${id}  ${title}`,
    line('', COLUMNS),
    ...(['limit', 'plinth'] as const).map((name) => line(name, formatSample(summary.sides[name]))),
    `  ratio    ${formatSpread(throughputRatio)} of the limit's throughput, target ${targetRatio.toFixed(2)}` +
      verdict(throughputRatio.median >= targetRatio),
    `           ${formatSpread(p99Ratio)} of the limit's p99, target ${P99_TARGET.toFixed(2)} at most` +
      verdict(p99Ratio.median <= P99_TARGET),
    ...(cpuRatio === null ? [] : [`           ${cpuRatio.toFixed(2)} of the limit's CPU time for a request`]),
    ...(foreignShare === null || foreignShare <= MAX_FOREIGN_SHARE
      ? []
      : [
          `  doubtful: other processes had up to ${Math.round(foreignShare * 100)} % of the machine meanwhile`,
        ]),
  ].join('\n');
}

interface Memory {
  readonly nowBytes: number;
  readonly peakBytes: number;
}

/** Resident memory of a server, before and after the load. */
export function formatMemory(name: SideName, before: Memory | null, after: Memory | null): string {
  if (before === null || after === null) return `  ${name.padEnd(NAME_WIDTH)}not known on this system`;
  const mb = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`;
  return (
    `  ${name.padEnd(NAME_WIDTH)}${mb(before.nowBytes)} idle, ` +
    `${mb(after.nowBytes)} after the bench, ${mb(after.peakBytes)} at most`
  );
}

function formatSample(sample: Sample): string[] {
  const { requestsPerSecond, p50Ms, p99Ms, nodeCpuMs, postgresCpuMs } = sample;
  return [
    String(Math.round(requestsPerSecond)),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    nodeCpuMs?.toFixed(3) ?? '-',
    postgresCpuMs?.toFixed(3) ?? '-',
  ];
}

const line = (name: string, cells: readonly string[]): string =>
  `  ${name.padEnd(NAME_WIDTH)}${cells.map((cell, index) => cell.padStart((COLUMNS[index]?.length ?? 0) + 4)).join('')}`;

const formatSpread = ({ median, least, most }: Spread): string =>
  `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;

const verdict = (isMet: boolean): string => (isMet ? ': met' : ': missed');
