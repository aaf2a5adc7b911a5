import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { listSweeps } from '../record/read-sweeps.ts';
import { changedCode, changedCodeFacts } from '../registry/own/changed-code.ts';
import { loadConfig, loadPlugins, type Plugins } from '../registry/own/load-plugins.ts';
import { registry as builtIn, type Registry } from '../registry/rows.ts';
import type { OpenModel } from './open-model.ts';

/**
 * The registries that models need: with the entries of the config of a folder where their code is the user's own, or of the
 * config that the plan of a model's run names.
 */
export const registryFor = async (
  models: readonly OpenModel[],
  folder: string,
): Promise<Result<Registry>> => {
  const needed = models.flatMap(({ file }) =>
    (['model', 'loss'] as const).flatMap((kind) => {
      const digest = file.code?.[kind];
      return digest === undefined ? [] : [{ kind, name: file[kind].name, digest }];
    }),
  );
  if (needed.length === 0) return success(builtIn);
  const registryOf = (plugins: Result<Plugins>): Result<Registry> => {
    if (!plugins.ok) return plugins;
    const { registry } = plugins.value;
    const changed = changedCode(registry, needed);
    return changed ? failure(otherCode(changed)) : success(registry);
  };
  const here = registryOf(await loadPlugins(folder));
  if (here.ok) return here;
  for (const config of new Set(models.flatMap((model) => recordedConfig(model) ?? []))) {
    const recorded = registryOf(await loadConfig(config));
    if (recorded.ok) return recorded;
  }
  return here;
};

/** The config of the sweep that the run of a model belongs to, where it is recorded and there. */
const recordedConfig = ({ file, directory }: OpenModel): string | undefined => {
  const run = dirname(resolve(directory));
  if (basename(run) !== file.run.id) return undefined;
  const experiment = dirname(run);
  const { sweeps } = listSweeps(dirname(experiment), { experiment: basename(experiment) });
  const plan = sweeps.find((one) => one.plan.runs.some(({ id }) => id === file.run.id))?.plan;
  if (plan?.config === undefined) return undefined;
  const config = resolve(dirname(plan.spec.path), plan.config);
  return existsSync(config) ? config : undefined;
};

const otherCode = (changed: Parameters<typeof changedCodeFacts>[0]): Diagnostic => {
  const { kind, name, origin } = changed;
  return {
    code: 'code-changed',
    severity: 'error',
    message: origin
      ? `The code of the ${kind} ${name} has changed since the model was trained.`
      : `The model uses a ${kind} ${name} of your own, which no config registers here.`,
    ...changedCodeFacts(changed),
    help: 'Run the command in a folder with the unroll.config.ts that the model was trained with.',
  };
};
