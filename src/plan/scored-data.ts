import type { Json } from '../system/json.ts';
import type { Run } from './plan.ts';
import { filesOf } from './run-identity.ts';

/**
 * Settings of a dataset that change what a model is given or learns from, or which of the examples are drawn, but not the
 * question that is asked of it. Scores of runs that differ in these alone can be compared.
 */
const sameQuestion: ReadonlySet<string> = new Set([
  ...['trainSize', 'validationSize', 'testSize', 'trainFraction', 'validationFraction', 'testFraction'],
  ...['seed', 'fold', 'splitSeed', 'split', 'stride', 'overlap'],
  ...['features', 'inputs', 'standardize', 'scale', 'normalize', 'missing', 'window', 'lags', 'context'],
  ...['categorical', 'static', 'deltaTime', 'past', 'future', 'calendar', 'decimal'],
  ...['delimiter', 'layout', 'order', 'featuresPerStep'],
]);

/**
 * What the scores of a run are scores of, as flat settings: runs in which these differ have answered other questions, so
 * that no one is better than the other. A setting that is not known to leave the question as it is counts as another.
 */
export const scoredData = (run: Run): Readonly<Record<string, Json>> => {
  const { datasetDigest, versions } = run;
  const files = filesOf(run);
  const fromFiles = files.length > 0;
  // The length of the sequences of a file is how much is read at once; that of generated ones is how hard they are.
  const counts = (setting: string) =>
    !sameQuestion.has(setting) && !files.includes(setting) && !(fromFiles && setting === 'length');
  return {
    ...Object.fromEntries(
      Object.entries(run.config.dataset)
        .filter(([setting, value]) => value !== null && counts(setting))
        .map(([setting, value]) => [`dataset.${setting}`, value]),
    ),
    ...(fromFiles && { datasetDigest: datasetDigest.slice(0, 12) }),
    'versions.dataset': versions.dataset,
  };
};

/** What groups runs by whether their scores can be compared: the same string for runs in which `scoredData` agrees. */
export const scoredKey = (run: Run): string => JSON.stringify(scoredData(run));
