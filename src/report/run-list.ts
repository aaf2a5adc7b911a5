import { encodeNumbers } from '../system/json.ts';
import { createColours } from '../terminal/colours.ts';
import { counted, formatDuration, formatMetric, formatTime } from '../terminal/format.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { runStates } from '../record/run-state.ts';
import type { ListedRun } from './listed-runs.ts';
import { sweepText, type TextOptions } from './render-compare.ts';
import { stateColour } from './show.ts';

const columns = (metric: string): readonly Column[] => [
  { title: 'run', align: 'left', keep: Infinity },
  { title: 'experiment', align: 'left', keep: 7 },
  { title: 'sweep', align: 'left', keep: 8 },
  { title: 'state', align: 'left', keep: Infinity },
  { title: 'settings', align: 'left', keep: Infinity },
  { title: metric, align: 'right', keep: 6 },
  { title: 'steps', align: 'right', keep: 3 },
  { title: 'time', align: 'right', keep: 4 },
  { title: 'began', align: 'left', keep: 5 },
];

/** Recorded runs as a table, one line each, and how many are in which state. */
export const renderRunList = (runs: readonly ListedRun[], { width, colour }: TextOptions): string => {
  if (runs.length === 0) return 'No runs are recorded there yet.';
  const pc = createColours(colour);
  const names = shortNames([...new Set(runs.flatMap((one) => Object.keys(one.settings)))]);
  const experiments = new Set(runs.map((one) => one.run.experiment));
  const sweeps = new Set(runs.flatMap((one) => one.sweeps));
  const metric = headline(runs);
  const rows = runs.map((one) => {
    const { run, state, status, metrics, settings } = one;
    const outcome = status?.outcome;
    return [
      { text: run.id },
      { text: experiments.size > 1 ? run.experiment : '' },
      { text: sweeps.size > 1 ? sweepText(one) : '' },
      { text: state, paint: stateColour(state, colour) },
      { text: runName({ experiment: run.experiment, varying: settings }, names) },
      { text: metrics[metric] === undefined ? '' : formatMetric(metrics[metric]) },
      { text: outcome ? String(outcome.step) : '' },
      { text: outcome && outcome.elapsedMs > 0 ? formatDuration(outcome.elapsedMs) : '' },
      { text: status ? formatTime(status.startedAt) : '', paint: pc.dim },
    ];
  });
  const counts = runStates
    .map((state) => [runs.filter((one) => one.state === state).length, state] as const)
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${state}`);
  const table = renderTable(columns(metric), rows, { width, title: pc.bold });
  return [...table, '', `${counted(runs.length, 'run')}: ${counts.join(', ')}`].join('\n');
};

/** The most useful metric of runs that ended: of the test split, or else the last loss. */
const headline = (runs: readonly ListedRun[]): string => {
  const known = new Set(runs.flatMap((one) => Object.keys(one.metrics)));
  return (
    ['test/accuracy', 'test/perplexity', 'test/loss'].find((one) => known.has(one)) ??
    [...known].find((one) => one.startsWith('test/')) ??
    'train/loss'
  );
};

/** The form that programs read. */
export const runListToJson = (runs: readonly ListedRun[]): object[] =>
  runs.map(({ run, directory, state, reason, status, metrics, sweeps, settings }) => ({
    id: run.id,
    experiment: run.experiment,
    seed: run.seed,
    varying: run.varying,
    sweeps,
    settings,
    state,
    reason,
    step: status?.outcome?.step ?? null,
    elapsedMs: status?.outcome?.elapsedMs ?? null,
    startedAt: status?.startedAt ?? null,
    endedAt: status?.endedAt ?? null,
    metrics: encodeNumbers(metrics),
    directory,
  }));
