import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a server counts, in the text format of Prometheus. */
export interface Metrics {
  readonly request: (request: {
    readonly path: string;
    readonly code: number;
    readonly seconds: number;
  }) => void;
  readonly batch: (model: string, size: number, seconds: number) => void;
  /** `waiting`: sequences by model; `inFlight`: requests that are answered now. */
  readonly text: (now: {
    readonly waiting: ReadonlyMap<string, number>;
    readonly inFlight: number;
  }) => string;
  readonly close: () => void;
}

const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const sizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];

interface Family {
  readonly lines: () => readonly string[];
}

type Labels = Readonly<Record<string, string | number>>;

export const createMetrics = (): Metrics => {
  const requests = counter('unroll_requests_total', 'Requests that were answered, by path and status code.');
  const durations = histogram(
    ...(['unroll_request_duration_seconds', 'Time from the first byte of a request to its answer.'] as const),
    secondsBounds,
  );
  const sizes = histogram('unroll_batch_size', 'Sequences that were predicted as one batch.', sizeBounds);
  const batches = histogram('unroll_batch_duration_seconds', 'Time of a prediction.', secondsBounds);
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  return {
    request: ({ path, code, seconds }) => {
      requests.add({ path, code });
      durations.observe({ path }, seconds);
    },
    batch: (model, size, seconds) => {
      sizes.observe({ model }, size);
      batches.observe({ model }, seconds);
    },
    text: ({ waiting, inFlight }) => {
      const { rss } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      const started = (performance.timeOrigin / 1000).toFixed(3);
      const lines = [
        ...[requests, durations, sizes, batches].flatMap((family) => family.lines()),
        ...gauge(
          ...(['unroll_queue_depth', 'Sequences that wait for a batch.'] as const),
          [...waiting].map(([model, depth]) => [{ model }, depth] as const),
        ),
        ...gauge('unroll_requests_in_flight', 'Requests that are being answered.', [[{}, inFlight]]),
        ...gauge(
          'unroll_event_loop_delay_seconds',
          'How long the process was busy at a time, 99th percentile.',
          [[{}, delay.percentile(99) / 1e9]],
        ),
        ...gauge('process_resident_memory_bytes', 'Resident memory.', [[{}, rss]]),
        ...gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', [
          [{}, started],
        ]),
        '# HELP process_cpu_seconds_total Processor time.',
        '# TYPE process_cpu_seconds_total counter',
        `process_cpu_seconds_total ${(user + system) / 1e6}`,
      ];
      return `${lines.join('\n')}\n`;
    },
    close: () => delay.disable(),
  };
};

const gauge = (
  name: string,
  help: string,
  values: readonly (readonly [Labels, number | string])[],
): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...values.map(([labels, value]) => `${name}${written(labels)} ${value}`),
];

const counter = (name: string, help: string) => {
  const counts = new Map<string, number>();
  return {
    add: (labels: Labels) => {
      const key = written(labels);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    lines: () => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} counter`,
      ...[...counts].map(([labels, count]) => `${name}${labels} ${count}`),
    ],
  };
};

const histogram = (name: string, help: string, bounds: readonly number[]) => {
  const series = new Map<
    string,
    { readonly labels: Labels; readonly buckets: number[]; sum: number; count: number }
  >();
  return {
    observe: (labels: Labels, value: number) => {
      const key = written(labels);
      const one = series.get(key) ?? { labels, buckets: bounds.map(() => 0), sum: 0, count: 0 };
      series.set(key, one);
      const bucket = bounds.findIndex((bound) => value <= bound);
      if (bucket !== -1) one.buckets[bucket] = (one.buckets[bucket] as number) + 1;
      one.sum += value;
      one.count++;
    },
    lines: (): readonly string[] => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} histogram`,
      ...[...series.values()].flatMap(({ labels, buckets, sum, count }) => {
        let below = 0;
        return [
          ...bounds.map(
            (le, at) => `${name}_bucket${written({ ...labels, le })} ${(below += buckets[at] as number)}`,
          ),
          `${name}_bucket${written({ ...labels, le: '+Inf' })} ${count}`,
          `${name}_sum${written(labels)} ${sum}`,
          `${name}_count${written(labels)} ${count}`,
        ];
      }),
    ],
  } satisfies Family & { readonly observe: (labels: Labels, value: number) => void };
};

const written = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
