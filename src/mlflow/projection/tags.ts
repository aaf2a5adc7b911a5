import { hostname, userInfo } from 'node:os';
import { packageVersion } from '../../system/package-root.ts';
import { originOf } from '../../plan/origin.ts';
import type { Plan } from '../../plan/plan.ts';
import type { EnvironmentFile, EvaluationFile } from '../../record/run-files.ts';
import { cleanKey, cutText, limits } from '../client/limits.ts';
import type { WirePair } from '../client/wire.ts';
import { lifecycleOf, type TrackedRun } from '../journal/record.ts';
import { imageKeysOf } from './images.ts';
import { configurationColour } from './names.ts';
import { membershipTag } from './link.ts';
import { runNote } from './notes.ts';
import { evaluationTables } from './tables.ts';

/** A run's place in its sweep. */
export interface SweepPlace {
  readonly plan: Plan;
  readonly parentRunId: string | undefined;
}

/** The tag by which a recording is found again when the cursor is lost. */
export const recordingTag = 'unroll.recording';

/** Finds the logged model of a recording. The search of models takes a quoted key for another one, unlike that of runs. */
export const modelOfRecording = (recording: string): string => `tags.\`${recordingTag}\` = '${recording}'`;

export const parentTag = 'mlflow.parentRunId';

export const toPairs = (tags: Readonly<Record<string, string | undefined>>): readonly WirePair[] =>
  Object.entries(tags).flatMap(([key, value]) =>
    value === undefined || value === ''
      ? []
      : [{ key: cleanKey(key), value: cutText(value, limits.tagLength) }],
  );

export const userName = (environment: EnvironmentFile | undefined): string => {
  if (environment?.user) return environment.user;
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
};

const environmentTags = (environment: EnvironmentFile | undefined): Record<string, string | undefined> =>
  environment
    ? {
        'mlflow.source.git.commit': environment.git?.commit,
        'mlflow.source.git.branch': environment.git?.branch,
        'mlflow.source.git.repoURL': environment.git?.remote,
        'mlflow.source.git.dirty': environment.git ? String(environment.git.dirty) : undefined,
        'unroll.host': environment.host,
        'unroll.environment': environmentText(environment),
      }
    : { 'unroll.host': hostname() };

/** What a table of runs can show of the place; `environment.json` has all of it. */
const environmentText = ({
  backend,
  tensorflow,
  kernel,
  ownKernels,
  threads,
  node,
  cpu,
}: EnvironmentFile): string =>
  [
    `${backend} ${tensorflow}`,
    `kernel ${kernel}${ownKernels === null ? " without Unroll's own" : ''}`,
    threads === 1 ? '1 thread' : `${threads} threads`,
    `Node ${node}`,
    cpu,
  ].join(', ');

/** The settings of the spec and the environment for what is sent. */
export interface ChosenByUser {
  readonly tags: Readonly<Record<string, string>>;
  readonly artifactGroups: ReadonlySet<string>;
}

/** The tags by which the server's page finds tables and images that it compares between runs. */
const shownArtifacts = (
  evaluation: EvaluationFile | undefined,
  groups: ReadonlySet<string>,
): Record<string, string> => {
  const tables = evaluation && groups.has('evaluation') ? evaluationTables(evaluation) : [];
  const images = evaluation && groups.has('images') ? imageKeysOf(evaluation) : [];
  return {
    ...(tables.length > 0 && {
      'mlflow.loggedArtifacts': JSON.stringify(tables.map(({ path }) => ({ path, type: 'table' }))),
    }),
    ...(images.length > 0 && { 'mlflow.loggedImages': 'True' }),
  };
};

/** Every tag of a run, as docs/guides/mlflow.md lists them. Tags may change while it runs; they are sent again when they do. */
export const runTags = (
  record: TrackedRun,
  place: SweepPlace | undefined,
  chosen: ChosenByUser,
): readonly WirePair[] => {
  const { run, environment, status, evaluation } = record;
  const configurations = [...new Set(place?.plan.runs.map(({ cell }) => cell) ?? [run.cell])];
  return toPairs({
    [parentTag]: place?.parentRunId,
    'mlflow.user': userName(environment),
    'mlflow.source.name': place?.plan.spec.path ?? environment?.commandLine,
    'mlflow.source.type': 'LOCAL',
    ...environmentTags(environment),
    'mlflow.note.content': runNote(record),
    'mlflow.runColor': configurationColour(Math.max(0, configurations.indexOf(run.cell))),
    ...shownArtifacts(evaluation, chosen.artifactGroups),
    'unroll.run': run.id,
    'unroll.configuration': run.cell,
    'unroll.origin': originOf(run).join('; '),
    ...(place && { [membershipTag(place.plan.sweepId)]: place.parentRunId }),
    'unroll.version': environment?.unroll ?? packageVersion,
    'unroll.attempt': status && status.attempt > 1 ? String(status.attempt) : undefined,
    'unroll.outcome': status?.outcome?.reason ?? (lifecycleOf(record) === 'lost' ? 'lost' : undefined),
    'unroll.message': status?.outcome?.message,
    ...chosen.tags,
    [recordingTag]: record.recording,
  });
};
