import { join } from 'node:path';
import type { Run } from '../plan/plan.ts';
import { counted, formatDuration } from '../terminal/format.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { renderTable, type TableCell, type Column } from '../terminal/table.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { fileNames, phases, type Phase, type ProfileFile, parseProfile } from '../record/run-files.ts';
import { runDirectory } from '../record/run-recorder.ts';

type Spent = Readonly<Record<Phase, number>>;

/** Where the time of a sweep went, in milliseconds. */
export interface SweepProfile {
  /** From the first process to the last outcome. */
  readonly wallMs: number;
  readonly concurrency: number;
  /** `concurrency * wallMs` less what the runs took: starts of processes, between runs, and the sweep's end. */
  readonly withoutRunMs: number;
  /** Over all runs. */
  readonly ms: Spent;
  readonly runs: readonly (ProfileFile & { readonly id: string })[];
}

const total = (ms: Spent): number => phases.reduce((sum, phase) => sum + ms[phase], 0);

/** Reads what the trained runs recorded of their time. */
export const readProfile = (
  trained: readonly Run[],
  {
    runsDirectory,
    concurrency,
    wallMs,
  }: { readonly runsDirectory: string; readonly concurrency: number; readonly wallMs: number },
): SweepProfile => {
  const runs = trained.flatMap((run) => {
    const file = readJsonIfWhole(join(runDirectory(runsDirectory, run), fileNames.profile), parseProfile);
    return file ? [{ id: run.id, ...file }] : [];
  });
  const ms = Object.fromEntries(
    phases.map((phase) => [phase, runs.reduce((sum, run) => sum + run.ms[phase], 0)]),
  ) as Record<Phase, number>;
  return { wallMs, concurrency, withoutRunMs: concurrency * wallMs - total(ms), ms, runs };
};

const columns: readonly Column[] = [
  { title: 'time in', align: 'left', keep: Infinity },
  { title: 'total', align: 'right', keep: Infinity },
  { title: 'a step', align: 'right', keep: 0 },
  ...phases.map((phase): Column => ({ title: phase, align: 'right', keep: 1 })),
];

const stepPhases: readonly Phase[] = ['forward', 'backward', 'update'];

const line = (name: string, { ms, steps }: Pick<ProfileFile, 'ms' | 'steps'>): TableCell[] => {
  const all = total(ms);
  const step = stepPhases.reduce((sum, phase) => sum + ms[phase], 0) / steps;
  return [
    { text: name },
    { text: formatDuration(all) },
    { text: steps > 0 ? `${step.toFixed(2)}ms` : '–' },
    ...phases.map((phase) => ({ text: `${((100 * ms[phase]) / all).toFixed(1)}%` })),
  ];
};

/** A table of shares, a line for each run and one for all. */
export const renderProfile = (
  profile: SweepProfile,
  trained: readonly Run[],
  { width }: { readonly width: number },
): string => {
  if (profile.runs.length === 0) return 'No run was trained, so there is no profile.';
  const names = shortNames(Object.keys(trained[0]?.varying ?? {}));
  const rows = profile.runs.map((one) => {
    const run = trained.find(({ id }) => id === one.id);
    return line(run ? runName(run, names) : one.id, one);
  });
  const steps = profile.runs.reduce((sum, run) => sum + run.steps, 0);
  const { wallMs, concurrency, withoutRunMs } = profile;
  return [
    ...renderTable(
      columns,
      [...rows, line(`all ${counted(rows.length, 'run')}`, { ms: profile.ms, steps })],
      {
        width,
      },
    ),
    '',
    `${formatDuration(wallMs)} in all, ${counted(concurrency, 'run')} at once: ${((100 * withoutRunMs) / (concurrency * wallMs)).toFixed(1)}% of that without a run (starts of processes, between runs, the end).`,
  ].join('\n');
};
