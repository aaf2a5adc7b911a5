import { allocateBatch, type Dataset } from '../data/dataset.ts';
import { isClassTask, isPerStep } from '../data/task.ts';

const readAtOnce = 256;

/** How often each class is a target in the training part. */
export const countClasses = ({ shape, train }: Pick<Dataset, 'shape' | 'train'>): Float64Array => {
  const { task, steps } = shape;
  const counts = new Float64Array(isClassTask(task) ? task.classes : 0);
  const batch = allocateBatch(shape, Math.min(readAtOnce, train.size));
  const each = isPerStep(task) ? steps : 1;
  for (let from = 0; from < train.size; from += readAtOnce) {
    const size = Math.min(readAtOnce, train.size - from);
    train.read(
      Int32Array.from({ length: size }, (_, at) => from + at),
      batch,
    );
    for (let row = 0; row < size; row++) {
      const counted = each === 1 ? 1 : (batch.lengths[row] as number);
      for (let step = 0; step < counted; step++) {
        const target = batch.targets[row * each + step] as number;
        counts[target] = (counts[target] as number) + 1;
      }
    }
  }
  return counts;
};
