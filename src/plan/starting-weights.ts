import { nearest } from '../diagnostic/nearest.ts';
import type { Issue, Result } from '../diagnostic/diagnostic.ts';
import type { TrainConfig } from '../language/config.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import type { Run } from './plan.ts';
import { checkPatterns, chosenVariables } from './variable-names.ts';

/** The weights that a training starts from, as the run records them. */
export type StartingWeights = NonNullable<Run['start']>;

/** A variable of a network. */
export interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Weights that `train.from` names. */
export interface FoundWeights {
  readonly start: StartingWeights;
  /** What messages call them. */
  readonly name: string;
  readonly variables: readonly Variable[];
}

/** Why there are no such weights. */
export type NoWeights = Omit<Issue, 'path'>;

/** Finds the weights that `train.from` names; relative paths of files start at the folder of the spec. */
export type FindWeights = (
  from: string,
  baseDirectory: string,
) => Promise<Result<FoundWeights, readonly NoWeights[]>>;

/** How weights fit a network, variable by variable. */
interface Fit {
  readonly fitting: readonly string[];
  /** Variables of the network that the weights lack or have in another shape, each with the reason. */
  readonly misfits: readonly { readonly name: string; readonly why: string }[];
  /** Variables of the weights that the network does not have. */
  readonly unused: readonly string[];
}

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

export const fitOf = (
  network: readonly Variable[],
  given: readonly Variable[],
  reinitialize: readonly string[] | undefined,
): Fit => {
  const names = network.map(({ name }) => name);
  const drawn = chosenVariables(reinitialize, names);
  const shapes = new Map(given.map(({ name, shape }) => [name, shape]));
  const unused = [...shapes.keys()].filter((name) => !names.includes(name));
  const fitting: string[] = [];
  const misfits: { name: string; why: string }[] = [];
  for (const { name, shape } of network) {
    if (drawn.has(name)) continue;
    const there = shapes.get(name);
    if (there?.join() === shape.join()) fitting.push(name);
    else if (there)
      misfits.push({ name, why: `${name} is ${shapeText(shape)} here and ${shapeText(there)} there` });
    else {
      const near = nearest(name, unused);
      misfits.push({
        name,
        why: `${name} is missing there${near === undefined ? '' : ` (nearest: ${near})`}`,
      });
    }
  }
  return { fitting, misfits, unused };
};

/** At most this many variables are listed in a message. */
const listed = 8;

const list = (items: readonly string[]): string =>
  items.slice(0, listed).join('; ') + (items.length > listed ? `; and ${items.length - listed} more` : '');

/** The misfit of weights and a network, as an issue of `train`; undefined where each variable fits. */
export const misfitIssue = (
  network: readonly Variable[],
  { name, variables }: Pick<FoundWeights, 'name' | 'variables'>,
  reinitialize: readonly string[] | undefined,
): ParameterIssue | undefined => {
  const { fitting, misfits } = fitOf(network, variables, reinitialize);
  if (misfits.length === 0) return undefined;
  const names = network.map((one) => one.name);
  const drawn = (reinitialize ?? []).filter((one) => chosenVariables([one], names).size > 0);
  const wanted = [...drawn, ...patternsOf(misfits.map((one) => one.name))];
  return {
    path: 'from',
    message: `The weights of ${name} do not fit the network: ${list(misfits.map(({ why }) => why))}.`,
    expected: 'every variable of the network, in the same shape',
    got: fitting.length > 0 ? `${fitting.join(', ')} fit` : 'nothing that fits',
    help:
      fitting.length > 0
        ? `Give the model the parameters that ${name} was trained with, or write \`reinitialize: [${wanted.map((one) => `"${one}"`).join(', ')}]\`, which draws these variables anew.`
        : 'Choose weights of the same model, or give the model the parameters that they were trained with.',
  };
};

/** The head of a network as one pattern. */
const patternsOf = (names: readonly string[]): readonly string[] => {
  const folders = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/') + 1)));
  return folders.size === 1 && names.length > 1 ? [`${[...folders][0] ?? ''}*`] : names;
};

/** What does not fit between the patterns and weights of a `train` section and the variables of its network. */
export const checkVariables = (
  { freeze, reinitialize }: TrainConfig,
  network: readonly Variable[],
  weights: FoundWeights | undefined,
): readonly ParameterIssue[] => {
  const names = network.map(({ name }) => name);
  const frozen = chosenVariables(freeze, names);
  const misfit = weights && misfitIssue(network, weights, reinitialize);
  return [
    ...checkPatterns('freeze', freeze, names),
    ...checkPatterns('reinitialize', reinitialize, names),
    ...(frozen.size === names.length ? [nothingToTrain] : []),
    ...(misfit ? [misfit] : []),
  ];
};

const nothingToTrain: ParameterIssue = {
  path: 'freeze',
  message: 'Every variable of the network is frozen, so there is nothing to train.',
  expected: 'patterns that leave a variable to train',
  help: 'Freeze fewer variables, for example leave out "output/*".',
};

/** What the network does not take from its starting weights; undefined where it takes all. */
export const unusedWeights = (
  network: readonly Variable[],
  { name, variables }: FoundWeights,
): ParameterIssue | undefined => {
  const { unused } = fitOf(network, variables, undefined);
  if (unused.length === 0) return undefined;
  return {
    path: 'from',
    message: `The weights of ${name} have variables that the network does not have: ${list(unused)}.`,
    expected: 'weights of the same network',
    help: 'These variables are not used. Give the model the parameters that the weights were trained with to use them all.',
  };
};
