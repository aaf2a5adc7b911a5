import type { Run } from './plan.ts';

/** Where a shorter run ends that another one continues, as the end of a sentence. */
export const continuesFrom = ({ run, step, epoch }: NonNullable<Run['continues']>): string =>
  `continues from ${run.slice(0, 8)} at ${epoch === undefined ? `step ${step}` : `epoch ${epoch}`}`;

/** What a run builds on, in words: the shorter run that it continues, and the weights that it starts from. */
export const originOf = ({ continues, start, config }: Run): readonly string[] => {
  const { from } = config.train;
  const name = start?.run === undefined ? start?.file : `run ${start.run}`;
  const written = from === null || from === undefined || from === start?.file ? '' : ` (${from})`;
  return [
    ...(continues ? [continuesFrom(continues)] : []),
    ...(start
      ? [`starts from the weights of ${name ?? ''}${written}, SHA-256 ${start.sha256.slice(0, 12)}`]
      : []),
  ];
};
