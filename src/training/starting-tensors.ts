import { DataError } from '../data/dataset.ts';
import type { Run } from '../plan/plan.ts';
import { misfitIssue } from '../plan/starting-weights.ts';
import { chosenVariables } from '../plan/variable-names.ts';
import { digestOfFile } from '../record/digests.ts';
import { readTensors, type StoredTensor } from '../system/safetensors.ts';
import { variablesIn } from '../record/starting-weights.ts';
import type { Learner } from './learner.ts';

/**
 * The weights that a run starts from, by their names in a checkpoint, without the variables that stay as they were drawn.
 * Throws `DataError` if the file is not the one that the run was planned with, or does not fit the network.
 */
export const startingTensors = (
  { run, startFile = '' }: { readonly run: Run; readonly startFile?: string | undefined },
  learner: Pick<Learner, 'weights'>,
): ReadonlyMap<string, StoredTensor> => {
  const { from, reinitialize } = run.config.train;
  const name = run.start?.run === undefined ? (from ?? '') : `run ${run.start.run}`;
  const digest = digestOfFile(startFile);
  if (digest === undefined)
    throw new DataError(`The weights of ${name}, which this run starts from, no longer exist: ${startFile}.`);
  if (digest.sha256 !== run.start?.sha256)
    throw new DataError(
      `The weights of ${name} have changed since this run was planned. Run the spec again to start from them as they are now.`,
    );
  const given = variablesIn(readTensors(startFile).tensors);
  const network = [...learner.weights()].map(([key, { shape }]) => ({
    name: key.slice('weights/'.length),
    shape,
  }));
  const misfit = misfitIssue(network, { name, variables: given }, reinitialize);
  if (misfit) throw new DataError(`${misfit.message} ${misfit.help ?? ''}`);
  const names = network.map((one) => one.name);
  const drawn = chosenVariables(reinitialize, names);
  return new Map(
    given.flatMap(({ name: one, tensor }) =>
      names.includes(one) && !drawn.has(one) ? [[`weights/${one}`, tensor] as const] : [],
    ),
  );
};
