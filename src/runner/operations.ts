import { examplesPerStep, totalSteps } from '../data/batches.ts';
import type { DataContext, SequenceShape } from '../data/dataset.ts';
import { outputsOf } from '../data/task.ts';
import { vectorSizeOf } from '../models/embedding.ts';
import type { ModelRow } from '../models/model.ts';
import { findRow, type Registry } from '../registry/rows.ts';
import type { NamedSection, RunConfig } from '../language/config.ts';
import { stepsDone, type RunStanding } from './select.ts';

/** What the calls of a step cost whatever its size, in operations that take as long. */
const operationsPerStep = 1e8;

/** Forward a multiplication and an addition for each weight, backward twice as many. */
const operationsPerWeight = 6;

/**
 * Roughly the floating-point operations of a training step in the products of a model, for each example and step of a
 * sequence; undefined for a model without a size among its parameters. Of an embedding a step touches a few rows alone.
 */
export const operationsPerInput = (
  model: NamedSection,
  row: ModelRow | undefined,
  shape: SequenceShape,
): number | undefined => {
  const weights = row?.parameterCount?.(model, { shape, outputs: outputsOf(shape.task) });
  return weights === undefined ? undefined : operationsPerWeight * (weights - embeddingOf(model, shape));
};

const embeddingOf = (model: NamedSection, { input }: SequenceShape): number => {
  if (input.kind === 'values')
    return (input.embedded ?? []).reduce((sum, { categories, size }) => sum + categories * size, 0);
  const size = vectorSizeOf(model);
  return (size ?? 0) * input.vocabulary;
};

/** A model without a known size counts as a large one: a long run that begins last is what costs time. */
const assumedOperations = 6e8;

/** Where only the files show how many examples there are; the runs of a sweep mostly share them. */
const assumedTrainSize = 10_000;

/**
 * How much each run has yet to compute, in floating-point operations, as far as its configuration shows: steps x batch
 * size x sequence length x weights. Good enough to put runs in order, not to estimate their time.
 */
export const workLeft = async (
  standings: readonly RunStanding[],
  { registry, context }: { readonly registry: Registry; readonly context: DataContext },
): Promise<readonly number[]> => {
  const sizes = new Map<string, Promise<Size>>();
  const sizeOf = ({ dataset, model }: RunConfig) => {
    const key = JSON.stringify([dataset, model]);
    const size = sizes.get(key) ?? readSize({ dataset, model }, { registry, context });
    sizes.set(key, size);
    return size;
  };
  const work: number[] = [];
  for (const standing of standings) {
    const { train } = standing.run.config;
    const { examples, sequence, operations } = await sizeOf(standing.run.config);
    const steps = totalSteps(train, { ...train, size: examples }) - stepsDone(standing);
    const ofStep = operationsPerStep + operations * examplesPerStep(train) * sequence;
    work.push(Math.max(0, steps) * ofStep);
  }
  return work;
};

interface Size {
  /** Examples to train on. */
  readonly examples: number;
  /** Steps of the longest sequence. */
  readonly sequence: number;
  /** Of each example and step of its sequence. */
  readonly operations: number;
}

const readSize = async (
  { dataset, model }: Pick<RunConfig, 'dataset' | 'model'>,
  { registry, context }: { readonly registry: Registry; readonly context: DataContext },
): Promise<Size> => {
  const unknown = { examples: assumedTrainSize, sequence: 1, operations: assumedOperations };
  try {
    const row = findRow(registry.dataset, dataset.name);
    const shape = await row?.shape(dataset, context);
    return {
      examples: row?.parts?.(dataset).trainSize ?? unknown.examples,
      sequence: shape?.steps ?? unknown.sequence,
      operations:
        (shape && operationsPerInput(model, findRow(registry.model, model.name), shape)) ??
        unknown.operations,
    };
  } catch {
    // The run itself reports what is wrong with the data or the code.
    return unknown;
  }
};
