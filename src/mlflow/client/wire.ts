import { isJsonNumber, type JsonNumber } from '../../system/json.ts';
import { keyProblem, limits } from './limits.ts';

export interface WireMetric {
  readonly key: string;
  /** A raw `NaN` would lose the rest of the batch. */
  readonly value: JsonNumber;
  /** Integer milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
  /** The logged model that has this value, and the dataset that it has it on. */
  readonly model_id?: string;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
}

export interface WirePair {
  readonly key: string;
  readonly value: string;
}

export interface WireBatch {
  readonly metrics?: readonly WireMetric[];
  readonly params?: readonly WirePair[];
  readonly tags?: readonly WirePair[];
}

export interface WireDataset {
  readonly dataset: {
    readonly name: string;
    readonly digest: string;
    readonly source_type: string;
    /** JSON texts. */
    readonly source: string;
    readonly schema?: string;
    readonly profile?: string;
  };
  readonly tags: readonly WirePair[];
}

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';

/** The largest and smallest value a server stores for an infinity. */
export const infinityOnServer = 1.797_693_134_862_315_7e308;

const isText = (value: unknown): value is string => typeof value === 'string';

const metricProblem = ({ key, value, timestamp, step }: WireMetric): string | undefined => {
  if (!isText(key)) return 'a metric has no key';
  const place = `metric "${key}" at step ${String(step)}`;
  if (!isJsonNumber(value))
    return `${place} has the value ${String(value)}, expected a finite number or "NaN", "Infinity", "-Infinity"`;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    return `${place} has the timestamp ${String(timestamp)}, expected integer milliseconds`;
  if (!Number.isSafeInteger(step)) return `${place} is not at an integer step`;
  return keyProblem(key);
};

const pairProblem = (what: string, { key, value }: WirePair, longest: number): string | undefined => {
  if (!isText(key)) return `a ${what} has no key`;
  if (!isText(value)) return `${what} "${key}" is not a string but ${typeof value}`;
  if (value.length > longest)
    return `${what} "${key}" has ${value.length} characters, at most ${longest} are kept`;
  return keyProblem(key);
};

/**
 * What a server would refuse in a batch, or worse: accept with 200 and lose everything after it (a fraction as a
 * timestamp, a number as a parameter's value). Nothing when the batch is sound.
 */
export const batchProblem = ({ metrics = [], params = [], tags = [] }: WireBatch): string | undefined => {
  if (metrics.length > limits.batchMetrics)
    return `${metrics.length} metrics, at most ${limits.batchMetrics} in a batch`;
  if (params.length > limits.batchParams)
    return `${params.length} params, at most ${limits.batchParams} in a batch`;
  if (tags.length > limits.batchTags) return `${tags.length} tags, at most ${limits.batchTags} in a batch`;
  if (metrics.length + params.length + tags.length > limits.batchEntities)
    return `more than ${limits.batchEntities} entities in a batch`;
  const repeated = params.find((param, index) => params.findIndex(({ key }) => key === param.key) !== index);
  if (repeated) return `param "${repeated.key}" is repeated in a batch`;
  for (const metric of metrics) {
    const wrong = metricProblem(metric);
    if (wrong !== undefined) return wrong;
  }
  return pairsProblem('param', params, limits.paramLength) ?? pairsProblem('tag', tags, limits.tagLength);
};

export const pairsProblem = (
  what: string,
  pairs: readonly WirePair[],
  longest: number,
): string | undefined => {
  for (const pair of pairs) {
    const wrong = pairProblem(what, pair, longest);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

/** What is wrong with a dataset, or nothing. */
export const datasetProblem = ({ dataset, tags }: WireDataset): string | undefined => {
  for (const [field, value] of Object.entries(dataset))
    if (!isText(value)) return `dataset field "${field}" is not a string`;
  if (dataset.name === '' || dataset.name.length > limits.datasetNameLength)
    return 'a dataset needs a name of at most 500';
  if (dataset.digest === '' || dataset.digest.length > limits.datasetDigestLength)
    return `a dataset's digest has ${dataset.digest.length} characters, expected 1 to ${limits.datasetDigestLength}`;
  return pairsProblem('dataset tag', tags, limits.tagLength);
};
