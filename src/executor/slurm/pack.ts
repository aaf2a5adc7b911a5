/** A job is worth queueing and starting if it trains for about this long. */
export const fillMs = 30 * 60_000;

/** The assumed length of a run before any comparable one was measured. */
const assumedRunMs = 3 * 60_000;

/** The most runs of one job, however short they are. */
const mostRunsPerJob = 1024;

/**
 * Divides runs among jobs, in their order: jobs of `runsPerJob` runs, or with `auto` jobs that train for about half an hour.
 * `lengths` are milliseconds, undefined for a run of which nothing is known. Returns the places of each job's runs.
 */
export const packRuns = (
  lengths: readonly (number | undefined)[],
  runsPerJob: number | 'auto',
): readonly (readonly number[])[] => {
  const jobs: number[][] = [];
  let filledMs = 0;
  for (const [index, length = assumedRunMs] of lengths.entries()) {
    const last = jobs.at(-1);
    const fits =
      last !== undefined &&
      (runsPerJob === 'auto'
        ? last.length < mostRunsPerJob && filledMs + length <= fillMs
        : last.length < runsPerJob);
    if (fits) last.push(index);
    else jobs.push([index]);
    filledMs = (fits ? filledMs : 0) + length;
  }
  return jobs;
};
