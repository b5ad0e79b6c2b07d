import type { Round, Sample, SideName } from './run-workload.js';

/** A figure's median over the rounds, with the least and the most. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Summary {
  readonly sides: Readonly<Record<SideName, Sample>>;
  /** Plinth's throughput over the limit's, round by round. */
  readonly throughputRatio: Spread;
  /** Plinth's CPU time for a request over the limit's, Node and PostgreSQL together; null where it is not known. */
  readonly cpuRatio: number | null;
  /** Plinth's 99th percentile over the limit's, round by round. */
  readonly p99Ratio: Spread;
  /** The largest share of the machine that others had in any round; null where it is not known. */
  readonly foreignShare: number | null;
}

/** The medians of the rounds; a ratio is taken inside a round, so that what slows the machine down slows both sides. */
export function summarise(rounds: readonly Round[]): Summary {
  const sides = { limit: medianOf(rounds, 'limit'), plinth: medianOf(rounds, 'plinth') };
  const foreignShares = rounds.flatMap(({ limit, plinth }) => [limit.foreignShare, plinth.foreignShare]);
  const known = foreignShares.filter((share) => share !== null);
  return {
    sides,
    cpuRatio: cpuOf(sides.plinth) / cpuOf(sides.limit) || null,
    foreignShare: known.length === 0 ? null : Math.max(...known),
    throughputRatio: spreadOf(
      rounds.map(({ plinth, limit }) => plinth.requestsPerSecond / limit.requestsPerSecond),
    ),
    p99Ratio: spreadOf(rounds.map(({ plinth, limit }) => plinth.p99Ms / limit.p99Ms)),
  };
}

function medianOf(rounds: readonly Round[], side: SideName): Sample {
  const samples = rounds.map((round) => round[side]);
  const median = (figure: (sample: Sample) => number | null): number | null => {
    const values = samples.map(figure).filter((value) => value !== null);
    return values.length === 0 ? null : spreadOf(values).median;
  };
  return {
    requestsPerSecond: median(({ requestsPerSecond }) => requestsPerSecond) ?? 0,
    p50Ms: median(({ p50Ms }) => p50Ms) ?? 0,
    p99Ms: median(({ p99Ms }) => p99Ms) ?? 0,
    nodeCpuMs: median(({ nodeCpuMs }) => nodeCpuMs),
    postgresCpuMs: median(({ postgresCpuMs }) => postgresCpuMs),
    foreignShare: median(({ foreignShare }) => foreignShare),
  };
}

const cpuOf = ({ nodeCpuMs, postgresCpuMs }: Sample): number => (nodeCpuMs ?? 0) + (postgresCpuMs ?? 0);

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}
