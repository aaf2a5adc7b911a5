import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { changedCode, changedCodeFacts } from '../registry/own/changed-code.ts';
import { loadPlugins } from '../registry/own/load-plugins.ts';
import { registry as builtIn, type Registry } from '../registry/rows.ts';
import type { OpenModel } from './open-model.ts';

/** The registries that a model needs: with the entries of the config of a folder where its code is the user's own. */
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
  const plugins = await loadPlugins(folder);
  if (!plugins.ok) return plugins;
  const { registry } = plugins.value;
  const changed = changedCode(registry, needed);
  if (!changed) return success(registry);
  const { kind, name, origin } = changed;
  return failure({
    code: 'code-changed',
    severity: 'error',
    message: origin
      ? `The code of the ${kind} ${name} has changed since the model was trained.`
      : `The model uses a ${kind} ${name} of your own, which no config registers here.`,
    ...changedCodeFacts(changed),
    help: 'Run the command in a folder with the unroll.config.ts that the model was trained with.',
  });
};
