import { unreachable } from '../diagnostic/diagnostic.ts';
import { topSize } from './class-counts.ts';
import type { Task } from './dataset.ts';

/** The names of a task's metrics, without the split that goes before them. */
export interface TaskMetrics {
  /** Of every minibatch that is displayed, and of every evaluation. */
  readonly always: readonly string[];
  /** Of the end evaluation on the test split alone. */
  readonly atEnd: readonly string[];
}

/** `topSize` of more classes than that is worth a metric. */
export const hasTopAccuracy = (classes: number): boolean => classes > topSize;

export const topAccuracyName = `top${topSize}Accuracy`;

/** What is measured of a task. */
export const taskMetrics = (task: Task): TaskMetrics => {
  switch (task.kind) {
    case 'regression':
      return { always: ['loss', 'mae'], atEnd: ['mse'] };
    case 'classification':
    case 'labelling':
    case 'next-step':
      return {
        always: task.kind === 'next-step' ? ['loss', 'accuracy', 'perplexity'] : ['loss', 'accuracy'],
        atEnd: [
          ...(hasTopAccuracy(task.classes) ? [topAccuracyName] : []),
          'macroF1',
          ...(task.kind === 'classification' ? ['accuracyFirst128'] : []),
        ],
      };
    default:
      return unreachable(task);
  }
};
