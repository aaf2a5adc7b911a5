import type { MlflowClient } from '../client/client.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import { infinityOnServer, type WireMetric } from '../client/wire.ts';
import { isOfTest } from '../../record/kept-weights.ts';

/** A metric's points, sorted by step; 24 bytes a point. */
export interface History {
  readonly size: number;
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly times: Float64Array;
}

/** Collects points in any order. */
export const collectHistory = (): {
  readonly add: (step: number, value: number, time: number) => void;
  readonly finish: () => History;
} => {
  let capacity = 1024;
  let size = 0;
  let [steps, values, times] = [0, 0, 0].map(() => new Float64Array(capacity)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const grow = (old: Float64Array) => {
    const larger = new Float64Array(capacity);
    larger.set(old);
    return larger;
  };
  return {
    add: (step, value, time) => {
      if (size === capacity) {
        capacity *= 2;
        [steps, values, times] = [grow(steps), grow(values), grow(times)];
      }
      steps[size] = step;
      values[size] = value;
      times[size] = time;
      size++;
    },
    finish: () => {
      const order = Uint32Array.from({ length: size }, (_, index) => index).sort(
        (a, b) => (steps[a] ?? 0) - (steps[b] ?? 0) || (times[a] ?? 0) - (times[b] ?? 0),
      );
      const sorted = (column: Float64Array) => Float64Array.from(order, (index) => column[index] ?? 0);
      return { size, steps: sorted(steps), values: sorted(values), times: sorted(times) };
    },
  };
};

export const fetchHistory = async (
  client: MlflowClient,
  runId: string,
  key: string,
): Promise<Answer<History>> => {
  const collected = collectHistory();
  const read = await client.metricHistory(runId, key, (points) => {
    for (const { step, value, timestamp } of points) collected.add(step, value, timestamp);
  });
  return read.ok ? success(collected.finish()) : read;
};

/** Whether a server's number is the one that was sent: NaN is itself, and infinities are stored as the largest doubles. */
export const sameValue = (onServer: number, sent: number): boolean =>
  Object.is(onServer, sent) ||
  onServer === sent ||
  (Math.abs(sent) === Infinity &&
    Math.sign(sent) === Math.sign(onServer) &&
    Math.abs(onServer) >= infinityOnServer);

/** The index of the first point at a step, or -1. */
const findStep = ({ size, steps }: History, step: number): number => {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] ?? 0) < step) low = middle + 1;
    else high = middle;
  }
  return low < size && steps[low] === step ? low : -1;
};

/** The index of a point, or -1. Earlier versions sent the one point of a test metric as of the last step. */
const placeOf = (history: History, { key, step }: WireMetric): number =>
  isOfTest(key) && history.size === 1 ? 0 : findStep(history, step);

/** What a comparison of points with a server leaves over. */
interface Missing {
  readonly points: readonly WireMetric[];
  /** Points whose step the server has with another value: the first one stays. */
  readonly conflicts: readonly WireMetric[];
}

/** Reads each metric's history at most once. */
export interface Histories {
  readonly missing: (points: readonly WireMetric[]) => Promise<Answer<Missing>>;
}

/**
 * The points that a server does not have. The rule is one point for each step of a metric: a point that is there
 * already, even with another time, is not sent again.
 */
export const openHistories = (client: MlflowClient, runId: string): Histories => {
  const known = new Map<string, History>();
  return {
    missing: async (points) => {
      const left: WireMetric[] = [];
      const conflicts: WireMetric[] = [];
      for (const point of points) {
        let history = known.get(point.key);
        if (!history) {
          const fetched = await fetchHistory(client, runId, point.key);
          if (!fetched.ok) return fetched;
          history = fetched.value;
          known.set(point.key, history);
        }
        const at = placeOf(history, point);
        if (at === -1) left.push(point);
        else if (!sameValue(history.values[at] ?? NaN, Number(point.value))) conflicts.push(point);
      }
      return success({ points: left, conflicts });
    },
  };
};
