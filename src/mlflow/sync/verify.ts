import { join } from 'node:path';
import { isOfTest } from '../../record/kept-weights.ts';
import { fileNames } from '../../record/run-files.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Answer } from '../client/problem.ts';
import type { WireMetric } from '../client/wire.ts';
import { fileStart, type Position, readPage } from '../journal/metric-file.ts';
import { isOver, type TrackedRun } from '../journal/record.ts';
import { runArtifacts } from '../projection/artifacts.ts';
import { endMetrics } from '../projection/end-metrics.ts';
import { runParams } from '../projection/params.ts';
import { runStatus } from '../projection/status.ts';
import type { SyncContext } from './context.ts';
import { readCursor } from './cursor.ts';
import { collectHistory, fetchHistory, sameValue, type History } from './history.ts';

/** The outcome of reading a run back from the server. */
export interface Verified {
  readonly runId: string | undefined;
  /** Points of the record. */
  readonly points: number;
  /** What is not equal, in sentences; empty when server and record are equal. */
  readonly differences: readonly string[];
}

/** All recorded points, by key. */
const readJournal = (record: TrackedRun): ReadonlyMap<string, History> => {
  const collected = new Map<string, ReturnType<typeof collectHistory>>();
  const add = ({ key, step, value, timestamp }: WireMetric) => {
    const history = collected.get(key) ?? collectHistory();
    collected.set(key, history);
    history.add(step, Number(value), timestamp);
  };
  for (const file of [fileNames.metrics, fileNames.system]) {
    for (let at: Position = fileStart; ;) {
      const page = readPage(join(record.directory, file), at, 20_000);
      if (page === 'rewritten' || page.lines === 0) break;
      page.points.forEach(add);
      at = page.end;
    }
  }
  endMetrics(record).forEach(add);
  return new Map([...collected].map(([key, history]) => [key, history.finish()]));
};

/**
 * The first difference of two histories, point for point: step, value and time. The one point of a test metric may be at
 * another step, where an earlier version put it.
 */
const compareHistories = (key: string, local: History, server: History): string | undefined => {
  const size = Math.max(local.size, server.size);
  for (let index = 0; index < size; index++) {
    const [step, other] = [local.steps[index], server.steps[index]];
    if (step === undefined || other === undefined || (step !== other && !isOfTest(key)))
      return step === undefined || (other !== undefined && other < step)
        ? `${key}: the server has step ${other ?? ''} once more than the record`
        : `${key}: the server lacks step ${step}`;
    const [value = NaN, served = NaN] = [local.values[index], server.values[index]];
    if (!sameValue(served, value)) return `${key}: step ${step} is ${value} here and ${served} on the server`;
    if (local.times[index] !== server.times[index])
      return `${key}: step ${step} has another time on the server`;
  }
  return undefined;
};

const compareArtifacts = async (
  context: SyncContext,
  record: TrackedRun,
  runId: string,
): Promise<Answer<readonly string[]>> => {
  const folders = new Map<string, ReadonlyMap<string, number>>();
  const differences: string[] = [];
  for (const { path, size } of runArtifacts(record, context.artifactGroups)) {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    let sizes = folders.get(folder);
    if (!sizes) {
      const listed = await context.client.listArtifacts(runId, folder === '' ? undefined : folder);
      if (!listed.ok) return listed;
      sizes = new Map(
        listed.value.filter(({ isDirectory }) => !isDirectory).map((entry) => [entry.path, entry.size]),
      );
      folders.set(folder, sizes);
    }
    const stored = sizes.get(path);
    if (stored === undefined) differences.push(`the server lacks the file ${path}`);
    else if (stored !== size)
      differences.push(`the file ${path} has ${stored} bytes on the server, ${size} here`);
  }
  return success(differences);
};

/**
 * Reads everything of a run back from the server and compares it with the record: each point of each metric, parameters,
 * status, sizes of files.
 */
export const verifyRun = async (context: SyncContext, record: TrackedRun): Promise<Answer<Verified>> => {
  const cursor = readCursor(record.directory, context.client.uri);
  const local = readJournal(record);
  const points = [...local.values()].reduce((sum, { size }) => sum + size, 0);
  if (!cursor) return success({ runId: undefined, points, differences: ['it was never sent'] });
  const found = await context.client.getRun(cursor.runId);
  if (!found.ok) return found;
  const server = found.value;
  if (!server)
    return success({ runId: cursor.runId, points, differences: ['the server does not have the run'] });

  if (server.deleted)
    return success({ runId: server.id, points, differences: ['the run was deleted on the server'] });

  const differences: string[] = [];
  for (const [key, history] of local) {
    const fetched = await fetchHistory(context.client, server.id, key);
    if (!fetched.ok) return fetched;
    const difference = compareHistories(key, history, fetched.value);
    if (difference !== undefined) differences.push(difference);
  }
  for (const key of server.metricKeys)
    if (!local.has(key)) differences.push(`${key}: the server has a metric that is not recorded`);
  for (const { key, value } of runParams(record.run))
    if (server.params[key] !== value)
      differences.push(
        `parameter ${key} is ${value} here and ${server.params[key] ?? 'missing'} on the server`,
      );
  const { status } = runStatus(record);
  if (server.status !== status)
    differences.push(`the status is ${status} here and ${server.status} on the server`);
  if (isOver(record)) {
    const files = await compareArtifacts(context, record, server.id);
    if (!files.ok) return files;
    differences.push(...files.value);
  }
  if (cursor.rejected > 0)
    differences.push(`${cursor.rejected} entries were refused and are kept in mlflow/`);
  return success({ runId: server.id, points, differences });
};
