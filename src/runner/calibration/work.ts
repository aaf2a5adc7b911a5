import { dirname, resolve } from 'node:path';
import { stepsOf } from '../../plan/steps.ts';
import type { SequenceShape } from '../../data/dataset.ts';
import type { ModelRow } from '../../models/model.ts';
import { findRow, registry as builtIn, type Registry } from '../../registry/rows.ts';
import { canonicalJson, type Json } from '../../system/json.ts';
import type { Plan, Run } from '../../plan/plan.ts';
import { operationsPerInput } from '../operations.ts';
import { askDataset, registryIn } from '../run-ground.ts';

/** Runs whose steps compute the same, whatever their seeds, learning rates and lengths. */
export interface Work {
  /** What of the runs decides how fast a kernel is, for people and for the record. */
  readonly key: string;
  readonly runs: readonly Run[];
  readonly shape: SequenceShape;
  /** Names of the kernels that can compute it, the default first. */
  readonly kernels: readonly string[];
  /** Training steps of all its runs; Infinity where only the files show how long an epoch is. */
  readonly steps: number;
  /** Floating-point operations of a step, roughly. */
  readonly operations: number;
}

/** The longest sequence that is measured: a kernel's time grows evenly with the steps. */
export const measuredSteps = 16;

/** Parameters of models that change neither the operations of a step nor their sizes. */
const withoutWeight = [
  'name',
  'hiddenSize',
  'forgetBias',
  'kernelInitializer',
  'outputInitializer',
  'dropout',
  'inputDropout',
  'outputDropout',
];

/** Parameters of which it only matters whether they are at work. */
const whetherAtWork = ['recurrentDropout'];

/** What a run computes, apart from how much of it. */
type WorkOfRun = Pick<Work, 'key' | 'shape' | 'kernels' | 'operations'>;

/** The parts of a plan that locate entries and data. */
export type Ground = Pick<Plan, 'config' | 'spec'>;

const baseDirectoryOf = ({ spec }: Ground): string => dirname(resolve(spec.path));

/** The rows of a plan. A config that is broken by now was reported before; its entries then have no work. */
const registryOf = async (ground: Ground): Promise<Registry> =>
  ground.config === undefined ? builtIn : registryIn(baseDirectoryOf(ground));

/** Returns the work of one run after the other; nothing for a model without a choice of kernels. */
export const workFinder = (ground: Ground): ((run: Run) => Promise<WorkOfRun | undefined>) =>
  finderWith(registryOf(ground), ground);

const finderWith = (
  loaded: Promise<Registry>,
  ground: Ground,
): ((run: Run) => Promise<WorkOfRun | undefined>) => {
  const shapes = new Map<string, Promise<SequenceShape | undefined>>();
  return async (run) => {
    const registry = await loaded;
    const { dataset, model, train } = run.config;
    const row = findRow(registry.model, model.name);
    const kernels = row?.kernels?.(model, train.precision).map(({ name }) => name) ?? [];
    if (!row || kernels.length === 0) return undefined;
    const named = canonicalJson(dataset);
    const baseDirectory = baseDirectoryOf(ground);
    // Nothing where the data cannot be read: each run reports it.
    const known =
      shapes.get(named) ?? askDataset(run, registry, ({ shape }) => shape(dataset, { baseDirectory }));
    shapes.set(named, known);
    const shape = await known;
    return (
      shape && { key: keyOf(run, row, shape), shape, kernels, operations: operationsOf(run, row, shape) }
    );
  };
};

/** The work of runs, in the order of its first appearance. */
export const worksOf = async (runs: readonly Run[], ground: Ground): Promise<readonly Work[]> => {
  const works = new Map<string, WorkOfRun & { runs: Run[]; steps: number }>();
  const loaded = registryOf(ground);
  const find = finderWith(loaded, ground);
  const { dataset } = await loaded;
  for (const run of runs) {
    const found = await find(run);
    if (!found) continue;
    const work = works.get(found.key) ?? { ...found, runs: [], steps: 0 };
    work.runs.push(run);
    const { trainSize } = findRow(dataset, run.config.dataset.name)?.parts?.(run.config.dataset) ?? {};
    work.steps += stepsOf(run.config.train, trainSize) ?? Infinity;
    works.set(found.key, work);
  }
  return [...works.values()];
};

/** Such as `lstm 128; batch 128, 16+ steps of 28 features`. */
const keyOf = (
  { config: { model, train } }: Run,
  { parameters: { properties: defaults } }: ModelRow,
  { steps, input, variableLength }: SequenceShape,
): string => {
  const settings = Object.entries(model)
    .filter(([name]) => !withoutWeight.includes(name))
    .filter(([name, value]) => value !== ((defaults[name]?.['default'] ?? null) as Json))
    .map(([name, value]) => (whetherAtWork.includes(name) ? name : `${name} ${JSON.stringify(value)}`));
  const { truncation, batchSize, precision } = train;
  const features =
    input.kind === 'values'
      ? [
          `${input.features} features`,
          ...(input.embedded ?? []).map(({ size }) => `embedded in ${size}`),
        ].join(' ')
      : `${input.vocabulary} kinds of tokens`;
  const length = steps > measuredSteps ? `${measuredSteps}+` : String(steps);
  return [
    [`${model.name} ${JSON.stringify(model['hiddenSize'])}`, ...settings].join(', '),
    `batch ${batchSize}, ${length} steps of ${features}` +
      (variableLength ? ', of varying length' : '') +
      (truncation ? `, truncation ${truncation.style} ${truncation.steps}` : '') +
      (precision === undefined ? '' : `, ${precision}`),
  ].join('; ');
};

const operationsOf = ({ config: { model, train } }: Run, row: ModelRow, shape: SequenceShape): number =>
  (operationsPerInput(model, row, shape) ?? 0) * train.batchSize * shape.steps;
