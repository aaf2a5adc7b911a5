import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Run } from '../plan/plan.ts';
import { digestOfNamed, isSealIntact, sealedFiles } from '../record/digests.ts';
import { readMetrics } from '../record/read-metrics.ts';
import { decisive, readRun, recordedId } from '../record/read-runs.ts';
import { fileNames, modelFileNames, parseProfile, type StatusFile } from '../record/run-files.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { readTensors } from '../system/safetensors.ts';
import { readRegularText } from '../system/files.ts';
import { checkpointDamage } from '../training/checkpoint.ts';
import { leftoversIn } from './leftovers.ts';
import { oddEntry } from './odd-entry.ts';
import { damage, leftover, type Problem, type Remedy, reported } from './problem.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { isObject, parseJson } from '../system/json.ts';

/** What is known of a run from outside of its directory. */
export interface Expected {
  /** The run as the plan of a sweep has it; undefined if no plan has it. */
  readonly planned: Run | undefined;
  /** What trains the run again: a command, or a sentence. */
  readonly training: string;
}

export interface CheckedRun {
  /** Undefined if its record cannot be read. */
  readonly state: RecordedRun['state'] | undefined;
  readonly problems: readonly Problem[];
}

const weightsFile = `${fileNames.model}/${modelFileNames.weights}`;

/** What a completed run has. */
const completeFiles: readonly string[] = [
  fileNames.metrics,
  fileNames.evaluation,
  weightsFile,
  `${fileNames.model}/${modelFileNames.model}`,
];

/** Reads everything in a run's directory. A run that is being trained is left alone. */
export const checkRun = async (directory: string, expected: Expected): Promise<CheckedRun> => {
  const at = (name: string) => join(directory, name);
  const odd = oddEntries(directory);
  if (odd.length > 0) return { state: undefined, problems: odd };
  // A process that died right after making the folder leaves nothing to be lost.
  if (![fileNames.run, fileNames.status, fileNames.metrics].some((name) => existsSync(at(name))))
    return { state: 'new', problems: neverStarted(directory) };
  const read = readRun(directory);
  if (!read.ok) return { state: undefined, problems: unreadable(directory, read.errors, expected) };
  const { run, state, status } = read.value;
  if (state === 'running') return { state, problems: [] };

  const again: Remedy = {
    repair: status?.state === 'ended' && state !== 'interrupted' ? { kind: 'reopen', directory } : undefined,
    next: expected.training,
  };
  const found = new Map<string, Problem>();
  const keep = (name: string, problem: Problem) => {
    if (!found.has(name)) found.set(name, problem);
  };
  const add = (name: string, what: string | undefined) => {
    if (what !== undefined) keep(name, damage(at(name), what, again));
  };

  add(fileNames.run, differenceFromPlan(run, expected.planned));
  if (!status && [fileNames.metrics, fileNames.evaluation].some((name) => existsSync(at(name))))
    add(fileNames.status, 'is missing');
  if (status && isSealIntact(rawStatus(directory)) === false)
    add(fileNames.status, 'is not as it was when the run ended: its checksum does not match');
  const history = await readMetrics(directory);
  for (const { severity, message } of history.problems)
    if (severity !== 'notice' || status?.state === 'ended')
      keep(fileNames.metrics, reported(at(fileNames.metrics), message, again));
  for (const { metric, step } of history.repeated.slice(0, 1))
    add(fileNames.metrics, `records ${metric} of step ${step} twice`);
  for (const name of jsonFiles) if (existsSync(at(name))) add(name, brokenJson(at(name)));
  for (const problem of brokenProfile(at(fileNames.profile))) keep(fileNames.profile, problem);
  if (existsSync(at(weightsFile))) add(weightsFile, brokenTensors(at(weightsFile), run.id));
  if (status) for (const [name, what] of changedFiles(directory, status)) add(name, what);
  for (const name of filesIn(at(fileNames.checkpoints), '.safetensors')) {
    const path = `${fileNames.checkpoints}/${name}`;
    add(path, checkpointDamage(at(path), run.id));
  }
  return { state, problems: [...found.values(), ...runLeftovers(directory)] };
};

const jsonFiles: readonly string[] = sealedFiles.filter(
  (name) => name.endsWith('.json') && name !== fileNames.run,
);

/** Training again without --profile would not write it again, and nothing else needs it. */
const brokenProfile = (path: string): Problem[] =>
  !existsSync(path) || parseProfile(parseJson(readRegularText(path)))
    ? []
    : [damage(path, 'is not a whole profile', { repair: { kind: 'delete', path } })];

/**
 * Entries that hold no data, such as a pipe, wherever they are in a run's directory: reading one could wait for ever. A folder
 * is one where a file is expected.
 */
const oddEntries = (directory: string): Problem[] => {
  const repairing = proposedCommand(['check', basename(directory), '--repair'], dirname(dirname(directory)));
  const files = [...sealedFiles, fileNames.status, fileNames.log, fileNames.profile, fileNames.system];
  return [...new Set([...files, ...entriesBelow(directory)])]
    .map((name) => ({ path: join(directory, name), isFile: files.includes(name) }))
    .flatMap(({ path, isFile }) => oddEntry(path, { isFile, repairing }) ?? []);
};

/** Names of everything in a run's directory and in its folders. */
const entriesBelow = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(directory, entry.name)).map((name) => `${entry.name}/${name}`)
      : [entry.name],
  );

/** Why a run cannot be read, and what helps. */
const unreadable = (
  directory: string,
  errors: readonly Diagnostic[],
  { planned, training }: Expected,
): Problem[] => {
  const isNamed = recordedId(directory) === basename(directory);
  const path = join(directory, isNamed ? fileNames.status : fileNames.run);
  const remedyOf = ({ help }: Diagnostic): Remedy => {
    if (!isNamed && planned) return { repair: { kind: 'restore', directory, run: planned } };
    // Another version wrote it as it is, and can read it.
    return { next: isNamed && isSealIntact(rawStatus(directory)) === true ? help : training };
  };
  return errors.map((error) => reported(path, error.message, remedyOf(error)));
};

const rawStatus = (directory: string): Readonly<Record<string, unknown>> => {
  const value = parseJson(readRegularText(join(directory, fileNames.status)));
  return isObject(value) ? value : {};
};

const differenceFromPlan = (run: Run, planned: Run | undefined): string | undefined =>
  planned === undefined || decisive(run) === decisive(planned)
    ? undefined
    : 'differs from the plan of its sweep, so one of the two was changed';

const brokenJson = (path: string): string | undefined =>
  isObject(parseJson(readRegularText(path))) ? undefined : 'does not contain a JSON object';

const brokenTensors = (path: string, run: string): string | undefined => {
  try {
    const { metadata } = readTensors(path);
    return metadata['run'] === run ? undefined : `is of another run, ${metadata['run'] ?? 'without an id'}`;
  } catch {
    return 'is damaged: it cannot be read';
  }
};

/** Files that differ from the digests that were recorded at the end of the run, or that are missing. */
function* changedFiles(directory: string, { files, outcome }: StatusFile): Generator<[string, string]> {
  if (outcome?.reason === 'completed')
    for (const name of completeFiles) if (!existsSync(join(directory, name))) yield [name, 'is missing'];
  for (const [name, recorded] of Object.entries(files ?? {})) {
    const now = digestOfNamed(join(directory, name));
    if (!now) yield [name, 'is missing'];
    else if (now.bytes !== recorded.bytes)
      yield [name, `has ${now.bytes} bytes, and had ${recorded.bytes} when the run ended`];
    else if (now.sha256 !== recorded.sha256)
      yield [name, 'is not as it was when the run ended: its checksum does not match'];
  }
}

const neverStarted = (directory: string): Problem[] => {
  const found = leftoversIn(directory);
  const isAll = found.length === readdirSync(directory).length;
  return isAll && found.every(({ kind }) => kind === 'leftover')
    ? [leftover(directory, 'is the folder of a run that never started')]
    : found;
};

const runLeftovers = (directory: string): Problem[] => [
  ...[
    directory,
    ...[fileNames.checkpoints, fileNames.model, fileNames.mlflow].map((name) => join(directory, name)),
  ]
    .filter((folder) => existsSync(folder))
    .flatMap(leftoversIn),
  ...filesIn(join(directory, fileNames.mlflow), '.json')
    .map((name) => join(directory, fileNames.mlflow, name))
    .filter((path) => brokenJson(path) !== undefined)
    .map((path) =>
      leftover(
        path,
        `is damaged; without it \`${proposedCommand(['sync', basename(directory)], dirname(dirname(directory)))}\` compares with the server again`,
      ),
    ),
];

const filesIn = (folder: string, ending: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .sort()
    : [];
