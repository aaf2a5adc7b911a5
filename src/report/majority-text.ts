import type { Majority } from './majority.ts';

/** What a result has to be held against, where the task has classes: `always answering "a" has accuracy 0.5 on the test part`. */
export const majorityText = (
  { part, label, share, range }: Majority,
  show: (value: number) => string,
): string => {
  const answer = label === null ? 'the most frequent class' : JSON.stringify(label);
  const accuracy = range
    ? `${show(range[0])} to ${show(range[1])}, mean ${show(share)}, on the ${part} parts`
    : `${show(share)} on the ${part} part`;
  return `always answering ${answer} has accuracy ${accuracy}`;
};
