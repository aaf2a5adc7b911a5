import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { openModel, type OpenModel } from '../../src/prediction/open-model.ts';
import type { HostEnvironment } from '../../src/record/run-files.ts';
import { trainInDirectory } from '../../src/training/train-in-directory.ts';

export interface TrainedModel {
  readonly model: OpenModel;
  /** Of the run. */
  readonly directory: string;
}

/** Trains the only run of a spec in this process. `sections` are those below `name`. */
export const trainModel = async (folder: string, name: string, sections: string): Promise<TrainedModel> => {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, `version: 1\nname: ${name}\n${sections}`);
  const plan = await planExperiment(path, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('the spec has no run');
  const runsDirectory = join(folder, 'runs');
  const directory = join(runsDirectory, name, run.id);
  mkdirSync(directory, { recursive: true });
  const outcome = await trainInDirectory(
    {
      ...{ type: 'train', run, attempt: 1, fromTheStart: false, pauseAt: null, profile: false, directory },
      ...{ baseDirectory: folder, environment: {} as HostEnvironment, threads: 1 },
    },
    {
      ...{ listen: () => undefined, onWait: () => undefined, onBegin: () => undefined },
      stopRequested: () => undefined,
    },
  );
  if (outcome.reason !== 'completed') throw new Error(outcome.message);
  const opened = openModel(directory, { runsDirectory });
  if (!opened.ok) throw new Error(opened.errors.map(({ message }) => message).join(' '));
  return { model: opened.value, directory };
};
