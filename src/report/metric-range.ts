import { type Range, unbounded } from './statistics.ts';

/** By the part of a metric's name after the split. */
const ranges: Readonly<Record<string, Range>> = {
  loss: [0, Infinity],
  mse: [0, Infinity],
  rmse: [0, Infinity],
  mae: [0, Infinity],
  perplexity: [1, Infinity],
  accuracy: [0, 1],
  top5Accuracy: [0, 1],
  accuracyFirst128: [0, 1],
  macroF1: [0, 1],
};

/** The values that a metric such as `test/accuracy` can have. */
export const rangeOf = (metric: string): Range => {
  const name = metric.slice(metric.indexOf('/') + 1);
  return (Object.hasOwn(ranges, name) && ranges[name]) || unbounded;
};
