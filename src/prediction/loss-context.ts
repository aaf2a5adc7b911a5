import { isClassTask } from '../data/task.ts';
import type { LossContext } from '../losses/loss.ts';
import type { OpenModel } from './open-model.ts';

/** What the loss of a model is built with. */
export const lossContext = ({ shape: { task }, classCounts }: OpenModel['file']): LossContext => ({
  task,
  // Models recorded before have none.
  classCounts: () => classCounts ?? new Float64Array(isClassTask(task) ? task.classes : 0).fill(1),
});
