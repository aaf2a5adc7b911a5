import { outputsOf } from '../data/task.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { checkAgainst } from '../language/check.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import type { OpenModel } from './open-model.ts';

/** What is needed to build the network of a model. */
export type NetworkModel = Pick<OpenModel, 'weights' | 'directory'> & {
  readonly file: Pick<OpenModel['file'], 'model' | 'shape' | 'outputsPerTarget'>;
};

const wrongTogether = 'Copy the folder again: its files do not belong together.';

/** What is wrong with the network that `model.json` describes, before it is built: it may not fit in the memory. */
export const wrongNetwork = (
  { file, weights, directory }: NetworkModel,
  registry: Registry,
): Diagnostic | undefined => {
  const { shape, model, outputsPerTarget } = file;
  const row = rowOf(registry.model, model);
  // Resolved words may be none that a spec can have, but no network is larger than a spec may ask for.
  const { issues } = checkAgainst(row.parameters, model.parameters);
  const wrong = issues.find(({ code }) => code === 'out-of-range');
  if (wrong) {
    return {
      code: 'damaged-record',
      severity: 'error',
      message: `model.json in ${directory} describes no network: ${wrong.message}`,
      ...(wrong.expected !== undefined && { expected: wrong.expected }),
      help: 'Copy the folder again: the file is not as the training wrote it.',
    };
  }
  const section = { ...model.parameters, name: model.name };
  const outputs = outputsOf(shape.task, { outputsPerTarget });
  const claimed = row.parameterCount?.(section, { shape, outputs });
  const stored = [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
  if (claimed === undefined || claimed === stored) return undefined;
  return {
    code: 'damaged-record',
    severity: 'error',
    message: `The weights in ${directory} have ${stored} values, and model.json describes ${claimed}.`,
    expected: 'the weights of the network that model.json describes',
    help: wrongTogether,
  };
};

/** What is wrong with the weights of a model whose network has these variables. */
export const wrongWeights = (
  { weights, directory }: NetworkModel,
  variables: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
): Diagnostic | undefined => {
  for (const { name, shape } of variables) {
    const stored = weights.get(name);
    if (stored?.shape.join() === shape.join()) continue;
    return {
      code: 'damaged-record',
      severity: 'error',
      message: `The weights in ${directory} have ${stored ? `the shape [${stored.shape.join(', ')}] for ${name}` : `no ${name}`}.`,
      expected: `${name} with the shape [${shape.join(', ')}], as model.json describes the network`,
      help: wrongTogether,
    };
  }
  return undefined;
};
