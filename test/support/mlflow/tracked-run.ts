import { readTrackedRun, type TrackedRun } from '../../../src/mlflow/journal/record.ts';

/** What MLflow receives of the run in a directory, which must have one. */
export const trackedRun = (directory: string): TrackedRun => {
  const read = readTrackedRun(directory);
  if (!read.ok || !read.value) throw new Error(`No run can be read in ${directory}.`);
  return read.value;
};
