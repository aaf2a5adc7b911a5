import { chooseKernel } from '../../tensorflow/kernels/choose-kernel.ts';
import type {
  CellSequence,
  CellStates,
  SequenceInput,
  SequenceResult,
} from '../../tensorflow/kernels/kernel.ts';
import type { Cell } from '../../tensorflow/kernels/table.ts';
import type { BuildContext } from '../model.ts';
import type { NetworkParameters } from '../parameters.ts';
import { featuresInTraining, type RecurrentCell, type WeightOf } from '../recurrent-cell.ts';

/** One layer in one direction over a batch of sequences. */
export interface RecurrenceRun
  extends SequenceInput, Pick<CellSequence, 'initial' | 'recurrentMask' | 'precision'> {
  readonly weight: WeightOf;
}

/** A cell with its kernels loaded. */
export interface Recurrence {
  /** The name of the kernel that runs in training, for the record. */
  readonly kernel: string;
  /** Size of the cell's output at each step. */
  readonly outputSize: number;
  readonly run: (run: RecurrenceRun) => SequenceResult;
  /** The state after each step, each part `[batch, time, size]`, read forwards and past the lengths. */
  readonly states: (run: RecurrenceRun) => CellStates;
}

/**
 * Chooses and loads a cell's kernels. `kernel` names the one of the training; the default of this process where
 * undefined. Rejects where the wanted one cannot run here.
 */
export const loadRecurrence = async <C extends Cell, P extends NetworkParameters>(
  recurrent: RecurrentCell<C, P>,
  chosen: P,
  { kernel: wanted, precision }: Pick<BuildContext, 'kernel' | 'precision'>,
): Promise<Recurrence> => {
  const { cell, features, weights, sequence } = recurrent;
  const inTraining = featuresInTraining(recurrent, chosen);
  const training = chooseKernel(cell, featuresInTraining(recurrent, chosen, precision), wanted);
  // Evaluation has no masks, so it can take a kernel that training with recurrent dropout cannot.
  const evaluation = chosen.recurrentDropout > 0 ? chooseKernel(cell, features(chosen)) : training;
  const masked = await training.load();
  const plain = await evaluation.load();
  const { states } = await chooseKernel(cell, [...inTraining, 'everyState']).load();
  if (!states) throw new Error(`No kernel returns every state of this ${cell}. This is a bug in Unroll.`);
  const sequenceOf = ({ weight, ...run }: RecurrenceRun) =>
    sequence(chosen, { ...run, kernel: weight('kernel'), bias: weight('bias') }, weight);
  return {
    kernel: training.name,
    outputSize: weights(chosen).outputSize,
    run: (run) => (run.recurrentMask ? masked : plain).run(sequenceOf(run)),
    states: (run) => states(sequenceOf(run)),
  };
};
