/** One line of `/metrics`. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A scrape, read as strictly as the format is written down. */
export interface Scrape {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly MetricSample[];
  /** The sum of all samples of a name that have at least these labels; 0 where there are none. */
  readonly value: (name: string, labels?: Readonly<Record<string, string>>) => number;
}

const HELP = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

/**
 * Parses Prometheus' text format, and checks what a scraper would stumble over: lines of a metric together and behind
 * its type, no series twice, counters called `_total`, buckets that grow and end with all there are.
 * @throws Error that names the line
 */
export function parseMetrics(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line is not ended');
  const types = new Map<string, string>();
  const samples: MetricSample[] = [];
  const seen = new Set<string>();
  let current = '';
  let help = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (reason: string): never => {
      throw new Error(`${reason}: ${line}`);
    };
    const [, helped] = HELP.exec(line) ?? [];
    if (helped !== undefined) {
      help = helped;
      continue;
    }
    const [, typed, type] = TYPE.exec(line) ?? [];
    if (typed !== undefined) {
      if (typed !== help || types.has(typed)) fail('a type without its help, or twice');
      if ((type === 'counter') !== typed.endsWith('_total'))
        fail('a counter is called _total, and nothing else is');
      types.set(typed, type ?? '');
      current = typed;
      continue;
    }
    const sample = parseSample(line) ?? fail('neither a comment nor a sample');
    const suffix = sample.name.slice(current.length);
    const suffixes = types.get(current) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!sample.name.startsWith(current) || !suffixes.includes(suffix))
      fail(`a sample among those of ${current}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted(([one], [other]) => one.localeCompare(other)))}`;
    if (seen.has(key)) fail('a series twice');
    seen.add(key);
    samples.push(sample);
  }
  checkHistograms(types, samples);
  return {
    types,
    samples,
    value: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name && hasLabels(sample, labels))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function parseSample(line: string): MetricSample | null {
  const [, name, labelText = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) return null;
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labelText.length) {
    const [, label, value] = LABEL.exec(labelText) ?? [];
    if (label === undefined || value === undefined || label in labels) return null;
    labels[label] = value.replaceAll(/\\(.)/g, (_match, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

const hasLabels = ({ labels }: MetricSample, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);

function checkHistograms(types: ReadonlyMap<string, string>, samples: readonly MetricSample[]): void {
  for (const [name, type] of types) {
    if (type !== 'histogram') continue;
    const buckets = new Map<string, MetricSample[]>();
    for (const sample of samples) {
      if (sample.name !== `${name}_bucket`) continue;
      const { le: _le, ...labels } = sample.labels;
      const key = JSON.stringify(labels);
      buckets.set(key, [...(buckets.get(key) ?? []), sample]);
    }
    for (const [key, series] of buckets) checkBuckets(name, key, series, samples);
  }
}

function checkBuckets(
  name: string,
  key: string,
  buckets: readonly MetricSample[],
  samples: readonly MetricSample[],
): void {
  const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('Inf', 'Infinity')));
  const counts = buckets.map(({ value }) => value);
  const isAscending = (numbers: readonly number[]): boolean =>
    numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? number));
  const count = samples.find(
    (sample) => sample.name === `${name}_count` && JSON.stringify(sample.labels) === key,
  );
  if (!isAscending(bounds) || !isAscending(counts) || bounds.at(-1) !== Number.POSITIVE_INFINITY) {
    throw new Error(`the buckets of ${name} ${key} do not grow to infinity`);
  }
  if (count?.value !== counts.at(-1))
    throw new Error(`the count of ${name} ${key} is not that of its last bucket`);
}
