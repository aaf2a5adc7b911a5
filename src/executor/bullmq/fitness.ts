import { rmSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import { vectorsDigest } from '../../data/vectors/vectors.ts';
import { pretrainedOf } from '../../data/vectors/setting.ts';
import { ownCodeOf } from '../../plan/own-code.ts';
import type { Run } from '../../plan/plan.ts';
import { dataPathsOf } from '../../plan/run-identity.ts';
import { wrongSetting } from '../../plan/wrong-setting.ts';
import { changedCode, changedCodeFacts } from '../../registry/own/changed-code.ts';
import { findRow, type Registry } from '../../registry/rows.ts';
import { StoreError } from '../../store/backend.ts';
import type { Store } from '../../store/store.ts';
import { changeStamp } from '../../system/change-stamp.ts';
import { writeWhole, ensureFolder } from '../../system/files.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { expectedKernels } from '../../tensorflow/expected-kernels.ts';
import { baseName, strangeName, withDataNames } from './portable-run.ts';
import { DataNotShared, type SharedData } from './shared-data.ts';
import type { Job, Needed, Unfit } from './protocol.ts';

/** A store that a submitter may use, too. */
export interface SharedStore extends Pick<Store, 'states' | 'parcels' | 'address'> {
  readonly id: string;
}

/** What a worker has to train with. */
export interface Equipment {
  readonly registry: Registry;
  /** The folder with the code of its own entries; undefined where it has none. */
  readonly bundle: string | undefined;
  /** Where names of data files start. */
  readonly dataDirectory: string;
  /** Where runs are trained. */
  readonly workDirectory: string;
  /** The shared store that it uses, with its id. */
  readonly store: SharedStore | undefined;
  readonly sharedData: SharedData | undefined;
}

/** A run as this worker trains it: its data was found, and is the data that the run was planned with. */
export interface Fit {
  readonly run: Run;
  /** Where the names of its data start. */
  readonly baseDirectory: string;
}

/** Why this worker cannot train a run, or the run with the names under which its data was found. */
export const fitRun = async (run: Run, equipment: Equipment): Promise<Fit | Unfit> => {
  const strange = strangeName(run);
  if (strange !== undefined)
    return {
      kind: 'unreadable',
      message: `a run names its data by a path: ${JSON.stringify(strange)}`,
      help: 'Submit the sweep with this version of Unroll.',
    };
  const changed = changedCode(equipment.registry, ownCodeOf(run));
  if (changed) {
    const { expected, got } = changedCodeFacts(changed);
    return {
      kind: 'code',
      message: `it has not the code of the ${changed.kind} ${changed.name}: ${expected} is needed, and it has ${got}`,
      help: 'Put the unroll.config.ts of the sweep, with the modules that it imports, into the folder where the worker is started, and start it again.',
    };
  }
  return await findData(run, equipment);
};

const lacksData = ({ kind }: Unfit): boolean => kind === 'data' || kind === 'other-data';

/** As `fitRun`. Data that is not here is brought from the store of the submitter, where it shares it. */
export const fitJob = async (
  { run, data, store }: Pick<Job, 'run' | 'data' | 'store'>,
  equipment: Equipment,
): Promise<Fit | Unfit> => {
  const fit = await fitRun(run, equipment);
  const { store: own, sharedData: shared, registry } = equipment;
  if ('run' in fit || !lacksData(fit) || !data || !own || !shared || own.id !== store) return fit;
  const cannot = (why: string): Unfit => ({
    kind: 'data',
    message: `the data of ${run.config.dataset.name} cannot be brought from the store ${own.address}: ${why.replace(/\.$/, '')}`,
    help: 'Submit the sweep again with --share-data, or copy the data to that host.',
  });
  try {
    const brought = await shared.bring(run, data);
    const problem = await dataProblem(brought.run, registry, brought.baseDirectory);
    return problem ? cannot(problem.message) : brought;
  } catch (error) {
    if (error instanceof DataNotShared || error instanceof StoreError) return cannot(error.message);
    const trouble = systemErrorOf(error);
    if (!trouble) throw error;
    return { kind: 'disk', message: `it has no room for the data: ${trouble.message}`, help: trouble.advice };
  }
};

/** Data whose digest was right, while its files are as they were: large data takes as long to read as a run to train. */
let known: { readonly data: string; readonly stamp: string } | undefined;

/** Looks for the data under its name, and under the last part of the name. */
const findData = async (run: Run, { registry, dataDirectory }: Equipment): Promise<Fit | Unfit> => {
  const short = withDataNames(run, baseName);
  const baseDirectory = dataDirectory;
  const problemOf = async (named: Run): Promise<Unfit | undefined> => {
    const { config, datasetDigest, vectors } = named;
    const data = JSON.stringify([config.dataset, datasetDigest, pretrainedOf(config.model), vectors]);
    const stamp = stampOf(named, baseDirectory);
    if (stamp !== undefined && known?.data === data && known.stamp === stamp) return undefined;
    const problem = await dataProblem(named, registry, baseDirectory);
    if (!problem && stamp !== undefined) known = { data, stamp };
    return problem;
  };
  const problem = await problemOf(run);
  if (!problem) return { run, baseDirectory };
  const other = await problemOf(short);
  if (!other) return { run: short, baseDirectory };
  // That the data differ explains more than that they are missing.
  return other.kind === 'other-data' ? other : problem;
};

/** What changes when the data files of a run are written; undefined where it has none, or where one is missing or young. */
const stampOf = (run: Run, baseDirectory: string): string | undefined => {
  const paths = dataPathsOf(run).map((name) => resolve(baseDirectory, name));
  const stamps = paths.map(changeStamp);
  return stamps.length === 0 || stamps.includes(undefined) ? undefined : JSON.stringify([paths, stamps]);
};

const dataProblem = async (
  run: Run,
  registry: Registry,
  baseDirectory: string,
): Promise<Unfit | undefined> => {
  const { dataset, model } = run.config;
  const install =
    `Copy the data into ${baseDirectory} on that host, under the name that the spec gives it, ` +
    'or start the worker with UNROLL_DATA_DIR set to the folder that has it. ' +
    'With --share-data the command sends the data to a --store that the worker uses, too.';
  try {
    const row = findRow(registry.dataset, dataset.name);
    const wrong = row && wrongSetting(row, dataset);
    if (wrong)
      return {
        kind: 'unreadable',
        message: `a run has a wrong dataset: ${wrong.message.replace(/\.$/, '')}`,
        help: 'Submit the sweep with this version of Unroll.',
      };
    const digest = await row?.digest(dataset, { baseDirectory });
    if (digest !== run.datasetDigest)
      return {
        kind: 'other-data',
        message: `its data of ${dataset.name} in ${baseDirectory} is other data (digest ${digest?.slice(0, 12) ?? 'unknown'}) than that of the sweep (${run.datasetDigest.slice(0, 12)})`,
        help: install,
      };
    const vectors = pretrainedOf(model);
    if (
      vectors &&
      run.vectors !== undefined &&
      (await vectorsDigest(vectors, { baseDirectory })) !== run.vectors
    )
      return {
        kind: 'other-data',
        message: `its vectors ${vectors.file} in ${baseDirectory} are others than those of the sweep`,
        help: install,
      };
  } catch (error) {
    const trouble = systemErrorOf(error)?.message;
    if (!(error instanceof DataError) && trouble === undefined) throw error;
    // The help of an issue is for who has the spec, and relative names start elsewhere here.
    const words = trouble ?? (error as DataError).issues.map(({ message }) => message).join(' ');
    return {
      kind: 'data',
      message: `the data of ${dataset.name} is missing in ${baseDirectory}: ${words.replace(/\.$/, '')}`,
      help: install,
    };
  }
  return undefined;
};

/** A run with its checkpoints needs some of it; a disk with less is full for all purposes. */
const leastFreeBytes = 50_000_000;

/** Why the folder of the runs is not writable; undefined if it is. */
export const workDirectoryProblem = (folder: string): Unfit | undefined => {
  const help = `Make room there, or start the worker with UNROLL_WORKER_DIR set to another folder.`;
  try {
    ensureFolder(folder);
    const probe = join(folder, `.probe-${process.pid}`);
    writeWhole(probe, Buffer.alloc(1 << 20));
    rmSync(probe, { force: true });
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < leastFreeBytes)
      return { kind: 'disk', message: `its disk is full at ${folder}`, help };
  } catch (error) {
    const trouble = systemErrorOf(error);
    if (!trouble) throw error;
    return { kind: 'disk', message: `it cannot write its runs in ${folder}: ${trouble.message}`, help };
  }
  return undefined;
};

/** Everything that keeps this worker from training a sweep. */
export const unfitFor = async (
  { runs, kernels, store }: Needed,
  equipment: Equipment,
): Promise<readonly Unfit[]> => {
  const found: Unfit[] = [];
  const disk = workDirectoryProblem(equipment.workDirectory);
  if (disk) found.push(disk);
  const missing = kernelProblem(kernels);
  if (missing) found.push(missing);
  for (const { run, data } of runs) {
    const fit = await fitRun(run, equipment);
    // What can be brought is brought with the first run that needs it.
    const comes = data !== undefined && store !== undefined && store === equipment.store?.id;
    if (!('run' in fit) && !(comes && lacksData(fit))) found.push(fit);
  }
  return found;
};

/** Another kernel would compute other bits. */
export const kernelProblem = (kernels: readonly string[]): Unfit | undefined => {
  const runnable = expectedKernels();
  const missing = kernels.find((name) => !runnable.includes(name));
  if (missing === undefined) return undefined;
  return {
    kind: 'kernel',
    message: `it lacks the kernel ${missing}, with which the plan is frozen`,
    help: `Run on that host: ${proposedCommand(['setup'])}`,
  };
};

/** What a job brings may be in a store. */
export const storeProblem = (
  { record, parent, start }: Job,
  own: SharedStore | undefined,
): Unfit | undefined => {
  const elsewhere = [record, parent, start].some((one) => one?.store !== undefined && one.store !== own?.id);
  if (!elsewhere) return undefined;
  return {
    kind: 'store',
    message: 'it does not use the store that has the checkpoint of a run',
    help: 'Start the worker with the --store of the command that submitted the sweep.',
  };
};
