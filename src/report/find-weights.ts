import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { failed, success, type Diagnostic } from '../diagnostic/diagnostic.ts';
import { isWeightsFile } from '../language/train-section.ts';
import type { FindWeights, NoWeights } from '../plan/starting-weights.ts';
import { digestOfFile } from '../record/digests.ts';
import { readTensors, type StoredTensor } from '../system/safetensors.ts';
import { variablesIn, weightsFileOf } from '../record/starting-weights.ts';
import { resumeWords } from '../record/run-state.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { interruptionOf } from '../system/system-error.ts';

/** Finds the weights that `train.from` names: of a run, of the best run of an experiment, or in a file. */
export const weightsFinder =
  (runsDirectory: string): FindWeights =>
  async (from, baseDirectory) =>
    isWeightsFile(from) ? inFile(from, baseDirectory) : ofRun(from, { runsDirectory, baseDirectory });

const inFile = (from: string, baseDirectory: string): Awaited<ReturnType<FindWeights>> => {
  const path = resolve(baseDirectory, from);
  if (!existsSync(path)) {
    return failed([
      {
        code: 'data-missing',
        message: `There is no file ${from}.`,
        expected: 'the path of a .safetensors file',
        help: `Relative paths start at the folder of the spec; this one leads to ${path}.`,
      },
    ]);
  }
  return read(path, { name: from, place: { file: from } });
};

const ofRun = async (
  from: string,
  { runsDirectory, baseDirectory }: { readonly runsDirectory: string; readonly baseDirectory: string },
): ReturnType<FindWeights> => {
  // It compares runs: much to load for the plans that start from nothing.
  const { referredRun } = await import('./best-run.ts');
  const found = referredRun(from, runsDirectory);
  if (!found.ok) return failed(found.errors.map(asTrouble));
  const { run, directory, state } = found.value;
  const name = `${run.experiment}/${run.id}`;
  const path = weightsFileOf(directory);
  if (!existsSync(path)) {
    return failed([
      {
        code: 'unknown-run',
        message: `The run ${name} has no weights: it is ${state}.`,
        expected: 'a run that is done',
        got: from,
        help: `Train it to its end with \`${proposedCommand(resumeWords(run.experiment, state), runsDirectory)}\`, or name another run.`,
      },
    ]);
  }
  const isHere = resolve(directory) === resolve(runsDirectory, run.experiment, run.id);
  const file = relative(resolve(baseDirectory), resolve(path)).split(sep).join('/');
  return read(path, { name: `run ${name}`, place: { run: name, ...(!isHere && { file }) } });
};

const asTrouble = ({ code, message, expected, nearest, help }: Diagnostic): NoWeights => ({
  code,
  message,
  expected: expected ?? 'the id of a run, best:EXPERIMENT or the path of a .safetensors file',
  ...(nearest !== undefined && { nearest }),
  ...(help !== undefined && { help }),
});

const read = (
  path: string,
  {
    name,
    place,
  }: { readonly name: string; readonly place: { readonly run?: string; readonly file?: string } },
): Awaited<ReturnType<FindWeights>> => {
  let tensors: ReadonlyMap<string, StoredTensor>;
  try {
    ({ tensors } = readTensors(path));
  } catch (error) {
    if (interruptionOf(error)) throw error;
    return failed([
      {
        code: 'bad-data',
        message: `The weights of ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
        expected: 'a whole safetensors file of float32 tensors',
        help: `Check ${join(basename(dirname(path)), basename(path))}, or name other weights.`,
      },
    ]);
  }
  const sha256 = digestOfFile(path)?.sha256 ?? '';
  const variables = variablesIn(tensors).map(({ name: one, shape }) => ({ name: one, shape }));
  return success({ start: { sha256, ...place }, name, variables });
};
