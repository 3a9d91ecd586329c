/** `/metrics` in the text format of Prometheus: a registry of our own, read when somebody scrapes it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { BUCKET_SECONDS, type Durations } from './durations.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels?: Labels;
  value: number;
}

interface MeasureBase {
  /** `holdfast_…`, with its unit last. */
  name: string;
  help: string;
  labels?: readonly string[];
}

/** Something that can be measured, and how to read it. */
export type Measure =
  | (MeasureBase & { type: 'counter' | 'gauge'; read: () => Iterable<Sample> })
  | (MeasureBase & { type: 'histogram'; read: () => Iterable<{ labels: Labels; durations: Durations }> });

export interface MetricsOptions {
  measures: readonly Measure[];
  /** Runs before each scrape; a scrape for which it fails is counted, and shows what there is without it. */
  refresh: () => Promise<void>;
  /** Of the process: memory, event loop, garbage collection, file descriptors. */
  hasProcessMetrics?: boolean;
}

export interface Metrics {
  contentType: string;
  text(): Promise<string>;
}

export function createMetrics({ measures, refresh, hasProcessMetrics = true }: MetricsOptions): Metrics {
  const registry = new Registry();
  let failures = 0;
  for (const measure of [...measures, failureMeasure(() => failures)]) register(registry, measure);
  if (hasProcessMetrics) collectDefaultMetrics({ register: registry });
  return {
    contentType: registry.contentType,
    async text() {
      await refresh().catch(() => {
        failures++;
      });
      return await registry.metrics();
    },
  };
}

function failureMeasure(read: () => number): Measure {
  const help = 'Scrapes for which the database did not answer in time; what is read from it was left out.';
  return { name: 'holdfast_scrape_failures_total', help, type: 'counter', read: () => [{ value: read() }] };
}

function register(registry: Registry, measure: Measure): void {
  const { name, help, labels = [] } = measure;
  const configuration = { name, help, labelNames: [...labels], registers: [registry] };
  if (measure.type === 'histogram') {
    new ReadHistogram({ ...configuration, buckets: [...BUCKET_SECONDS] }, measure.read);
    return;
  }
  const { type, read } = measure;
  if (type === 'gauge') {
    new Gauge({
      ...configuration,
      collect() {
        this.reset();
        // Without labels a reset leaves a zero, which nobody measured.
        if (labels.length === 0) this.remove();
        for (const sample of read()) this.set({ ...sample.labels }, sample.value);
      },
    });
    return;
  }
  new Counter({
    ...configuration,
    collect() {
      this.reset();
      for (const sample of read()) this.inc({ ...sample.labels }, sample.value);
    },
  });
}

type Read = () => Iterable<{ labels: Labels; durations: Durations }>;

/** Shows what was counted elsewhere. */
class ReadHistogram extends Histogram {
  readonly #read: Read;
  readonly #configuration: ConstructorParameters<typeof Histogram>[0];

  constructor(configuration: ConstructorParameters<typeof Histogram>[0], read: Read) {
    super(configuration);
    this.#configuration = configuration;
    this.#read = read;
  }

  /** What the registry, and `get`, ask for; the types of prom-client do not tell. */
  async getForPromString() {
    const { name, help } = this.#configuration;
    const values = [...this.#read()].flatMap((series) => valuesOf(name, series));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

function valuesOf(name: string, { labels, durations }: { labels: Labels; durations: Durations }) {
  let ended = 0;
  const buckets = BUCKET_SECONDS.map((le, index) => {
    ended += durations.buckets[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: ended };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: durations.count },
    { metricName: `${name}_sum`, labels: { ...labels }, value: durations.sumMs / 1000 },
    { metricName: `${name}_count`, labels: { ...labels }, value: durations.count },
  ];
}
