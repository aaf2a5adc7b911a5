import { fieldsOf, listOf, numberOf, recordOf, textOf } from './read-answer.ts';
import { eachPage } from './pages.ts';
import { limits } from './limits.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';
import type { Transport } from './transport.ts';
import {
  batchProblem,
  datasetProblem,
  pairsProblem,
  type RunStatus,
  type WireBatch,
  type WireDataset,
  type WirePair,
} from './wire.ts';

/** A run as the server knows it. */
export interface ServerRun {
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly status: string;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly deleted: boolean;
  readonly artifactUri: string;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Keys of which there is any history. */
  readonly metricKeys: readonly string[];
  readonly datasets: readonly { readonly name: string; readonly digest: string; readonly context: string }[];
}

/** A point of a history; NaN and infinities are numbers here. */
interface ServerPoint {
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export interface NewRun {
  readonly experimentId: string;
  readonly name: string;
  readonly user: string;
  readonly startTime: number;
  readonly tags: readonly WirePair[];
}

export interface RunCalls {
  /** Not repeated after an unclear attempt, since each would make a run: search by a tag of your own first. */
  readonly createRun: (run: NewRun) => Promise<Answer<ServerRun>>;
  readonly getRun: (runId: string) => Promise<Answer<ServerRun | undefined>>;
  /** All pages; deleted runs too. */
  readonly searchRuns: (experimentId: string, filter: string) => Promise<Answer<readonly ServerRun[]>>;
  /** Repeating it is harmless on SQL stores only; so it is not repeated here after an unclear attempt. */
  readonly logBatch: (
    runId: string,
    batch: WireBatch,
    options?: { readonly newConnection?: boolean },
  ) => Promise<Answer<undefined>>;
  readonly updateRun: (
    runId: string,
    change: { readonly status: RunStatus; readonly endTime?: number },
  ) => Promise<Answer<undefined>>;
  readonly logInputs: (runId: string, datasets: readonly WireDataset[]) => Promise<Answer<undefined>>;
  readonly deleteRun: (runId: string) => Promise<Answer<undefined>>;
  readonly restoreRun: (runId: string) => Promise<Answer<undefined>>;
  /** Calls `take` with page after page, in the order of time. */
  readonly metricHistory: (
    runId: string,
    key: string,
    take: (points: readonly ServerPoint[]) => void,
  ) => Promise<Answer<undefined>>;
}

const readRun = (raw: unknown): Answer<ServerRun> => {
  const { info: about, data: recorded, inputs } = fieldsOf(raw);
  const info = fieldsOf(about);
  const data = fieldsOf(recorded);
  const { run_id: id, experiment_id: experimentId, end_time: endTime } = info;
  if (typeof id !== 'string' || typeof experimentId !== 'string')
    return problem('not-mlflow', 'The server answered without a run.', { unclear: true });
  return success({
    id,
    experimentId,
    name: textOf(info['run_name']),
    status: textOf(info['status']),
    startTime: numberOf(info['start_time']),
    endTime: endTime === undefined ? null : numberOf(endTime),
    deleted: info['lifecycle_stage'] === 'deleted',
    artifactUri: textOf(info['artifact_uri']),
    params: recordOf(data['params']),
    tags: recordOf(data['tags']),
    metricKeys: listOf(data['metrics']).map(({ key }) => textOf(key)),
    datasets: listOf(fieldsOf(inputs)['dataset_inputs']).map(({ dataset, tags }) => ({
      name: textOf(fieldsOf(dataset)['name']),
      digest: textOf(fieldsOf(dataset)['digest']),
      context: recordOf(tags)['mlflow.data.context'] ?? '',
    })),
  });
};

/** The path of an endpoint of MLflow's REST interface. */
export const pathOf = (endpoint: string) => `/api/2.0/mlflow/${endpoint}`;

export const runCalls = (transport: Transport): RunCalls => {
  const post = async (
    endpoint: string,
    json: object,
    options: { readonly what: string; readonly repeatable: boolean; readonly newConnection?: boolean },
  ): Promise<Answer<undefined>> => {
    const done = await transport.json({ method: 'POST', path: pathOf(endpoint), json, ...options });
    return done.ok ? success(undefined) : done;
  };

  return {
    createRun: async ({ experimentId, name, user, startTime, tags }) => {
      const wrong = Number.isSafeInteger(startTime)
        ? pairsProblem('tag', tags, limits.tagLength)
        : `its start time ${startTime} is not in integer milliseconds`;
      if (wrong !== undefined) return problem('invalid', `The run cannot be created: ${wrong}.`);
      const made = await transport.json({
        method: 'POST',
        path: pathOf('runs/create'),
        json: { experiment_id: experimentId, user_id: user, start_time: startTime, run_name: name, tags },
        what: `create the run "${name}"`,
        repeatable: false,
        newConnection: true,
      });
      return made.ok ? readRun(made.value['run']) : made;
    },

    getRun: async (runId) => {
      const found = await transport.json({
        method: 'GET',
        path: pathOf('runs/get'),
        query: { run_id: runId },
        what: 'look up the run',
        repeatable: true,
      });
      if (found.ok) return readRun(found.value['run']);
      return found.errors[0].kind === 'not-found' ? success(undefined) : found;
    },

    searchRuns: async (experimentId, filter) => {
      const runs: ServerRun[] = [];
      const read = await eachPage(
        transport,
        (token) => ({
          method: 'POST',
          path: pathOf('runs/search'),
          json: {
            experiment_ids: [experimentId],
            filter,
            max_results: limits.searchPage,
            run_view_type: 'ALL',
            ...(token !== undefined && { page_token: token }),
          },
          what: 'search runs',
          repeatable: true,
        }),
        (page) => {
          for (const raw of listOf(page['runs'])) {
            const run = readRun(raw);
            if (!run.ok) return run;
            runs.push(run.value);
          }
          return success(undefined);
        },
      );
      return read.ok ? success(runs) : read;
    },

    logBatch: async (runId, batch, { newConnection = false } = {}) => {
      const wrong = batchProblem(batch);
      if (wrong !== undefined) return problem('invalid', `A batch was not sent: ${wrong}.`);
      return post(
        'runs/log-batch',
        { run_id: runId, ...batch },
        { what: 'log a batch', repeatable: false, newConnection },
      );
    },

    updateRun: (runId, { status, endTime }) =>
      post(
        'runs/update',
        { run_id: runId, status, ...(endTime !== undefined && { end_time: Math.trunc(endTime) }) },
        { what: 'update the run', repeatable: true },
      ),

    logInputs: async (runId, datasets) => {
      const wrong = datasets.map(datasetProblem).find((one) => one !== undefined);
      if (wrong !== undefined) return problem('invalid', `Datasets were not sent: ${wrong}.`);
      return post('runs/log-inputs', { run_id: runId, datasets }, { what: 'log datasets', repeatable: true });
    },

    deleteRun: (runId) =>
      post('runs/delete', { run_id: runId }, { what: 'delete the run', repeatable: true }),
    restoreRun: (runId) =>
      post('runs/restore', { run_id: runId }, { what: 'restore the run', repeatable: true }),

    metricHistory: (runId, key, take) =>
      eachPage(
        transport,
        (token) => ({
          method: 'GET',
          path: pathOf('metrics/get-history'),
          query: {
            run_id: runId,
            metric_key: key,
            max_results: limits.historyPage,
            page_token: token,
          },
          what: 'read a history',
          repeatable: true,
        }),
        (page) => {
          take(
            listOf(page['metrics']).map(({ value, timestamp, step }) => ({
              value: numberOf(value),
              timestamp: numberOf(timestamp),
              step: numberOf(step),
            })),
          );
          return success(undefined);
        },
      ),
  };
};
