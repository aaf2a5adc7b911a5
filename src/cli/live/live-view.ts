import { createColours, type Colours } from '../../terminal/colours.ts';
import { widthOf } from '../../terminal/width.ts';
import { counted, formatBytes, formatDuration, formatMetric, formatRate } from '../../terminal/format.ts';
import { compactName } from '../../terminal/run-name.ts';
import { sparkline } from '../../terminal/sparkline.ts';
import {
  bestOf,
  nameOfBest,
  remainingOf,
  remainingOfSweep,
  type RunningRun,
  speedOf,
  type SweepState,
} from './sweep-state.ts';
import { type TableCell, type Column, fit, renderTable } from '../../terminal/table.ts';

export interface ViewOptions {
  /** Size of the terminal in characters. */
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const columns: readonly Column[] = [
  { title: 'run', align: 'left', keep: Infinity },
  { title: 'progress', align: 'left', keep: 3 },
  { title: 'steps', align: 'right', keep: Infinity },
  { title: 'losses', align: 'left', keep: 4 },
  { title: 'loss', align: 'right', keep: 6 },
  { title: 'speed', align: 'right', keep: 2 },
  { title: 'left', align: 'right', keep: 5 },
  { title: 'memory', align: 'right', keep: 1 },
];

/** A bar of `width` characters, filled to a fraction in [0, 1]. */
export const progressBar = (fraction: number, width: number): string => {
  const filled = Math.round(Math.min(1, Math.max(0, fraction || 0)) * width);
  return '━'.repeat(filled) + '─'.repeat(width - filled);
};

/** The moving part of the terminal: a line for each running run and one for the whole sweep. */
export const renderLive = (state: SweepState, options: ViewOptions): string[] => {
  const { height, colour } = options;
  // The last column stays free: some terminals wrap a line that fills it.
  const width = options.width - 1;
  const pc = createColours(colour);
  const single = state.plan.runs.length === 1;
  const running = [...state.running.values()];
  const room = Math.max(1, height - (single ? 1 : 3) - (state.hosts.length > 0 ? 1 : 0));
  const shown = running.length > room ? running.slice(0, room - 1) : running;

  // Names may take what the numbers leave; cut names would hide just what distinguishes the runs.
  const nameRoom = Math.max(12, Math.min(width - 44, Math.floor(width * 0.5)));
  const full = shown.every((one) => widthOf(one.name) <= nameRoom);
  const nameOf = (one: RunningRun) => fit(full ? one.name : compactName(one.run), nameRoom);

  const lines = renderTable(
    columns,
    shown.map((one) => cellsOf(one, nameOf(one), { wide: width >= 110, pc })),
    { width, title: null, silent: true },
  );
  if (shown.length < running.length) lines.push(pc.dim(`and ${running.length - shown.length} more running`));
  if (state.hosts.length > 0) lines.push(hostsLine(state, pc));
  if (!single) lines.push(sweepLine(state, options));
  return lines.map((line) => fit(line, width));
};

const cellsOf = (
  one: RunningRun,
  name: string,
  { wide, pc }: { readonly wide: boolean; readonly pc: Colours },
): TableCell[] => {
  const loss = one.metrics['train/loss'];
  const total = one.totalSteps > 0 ? String(one.totalSteps) : '?';
  return [
    { text: one.attempt > 1 ? `${name} (attempt ${one.attempt})` : name },
    { text: progressBar(one.step / one.totalSteps, wide ? 16 : 12), paint: pc.cyan },
    { text: one.totalSteps > 0 ? `${String(one.step).padStart(total.length)}/${total}` : 'starting' },
    { text: sparkline(one.losses, wide ? 12 : 8), paint: pc.yellow },
    { text: loss === undefined ? '' : `loss ${formatMetric(loss)}` },
    { text: Number.isFinite(speedOf(one)) ? `${formatRate(speedOf(one))}/s`.padStart(7) : '', paint: pc.dim },
    {
      text: Number.isFinite(remainingOf(one)) ? formatDuration(remainingOf(one)).padStart(7) : '',
      paint: pc.dim,
    },
    { text: one.residentBytes > 0 ? formatBytes(one.residentBytes) : '', paint: pc.dim },
  ];
};

const hostsLine = ({ hosts }: SweepState, pc: Colours): string => {
  const words = hosts.map(({ host, slots, busy, isLost }) =>
    isLost ? pc.red(`${host} lost`) : `${host} ${pc.dim(`${busy} of ${slots}`)}`,
  );
  return `${pc.dim('hosts')}  ${words.join('  ')}`;
};

const sweepLine = (state: SweepState, { width, colour, now }: ViewOptions): string => {
  const pc = createColours(colour);
  const { ended, plan, toRun } = state;
  const best = bestOf(state);
  const before = state.before.size;
  const failed = ended.filter((one) => one.state === 'failed').length;
  const parts = [
    pc.cyan(progressBar((before + ended.length) / plan.runs.length, width >= 110 ? 20 : 10)),
    `${before + ended.length}/${plan.runs.length} runs`,
  ];
  if (failed > 0) parts.push(pc.red(`${failed} failed`));
  if (state.startedAt !== null) {
    const left = remainingOfSweep(state, now);
    const about = Number.isFinite(left) && ended.length < toRun ? `, ${formatDuration(left)} left` : '';
    parts.push(`${formatDuration(now - state.startedAt)}${about}`);
  }
  if (best) parts.push(pc.green(`best ${formatMetric(best.mean)} ${pc.dim(nameOfBest(state, best))}`));
  return parts.join('  ');
};

/** The last line of a sweep: how many runs ended in which state, and the time. */
export const summaryLine = (
  state: SweepState,
  { now, colour }: Pick<ViewOptions, 'now' | 'colour'>,
): string => {
  const pc = createColours(colour);
  const { ended, plan, toRun } = state;
  const best = bestOf(state);
  const count = (wanted: string) => ended.filter((one) => one.state === wanted).length;
  const before = state.before.size;
  const rest = toRun - count('done') - count('pruned') - count('failed') - count('interrupted');
  const leftOut = plan.runs.length - before - toRun;
  const parts = [
    before > 0 && `${before} recorded before`,
    count('done') > 0 && pc.green(`${count('done')} done`),
    count('pruned') > 0 && pc.dim(`${count('pruned')} pruned`),
    count('failed') > 0 && pc.red(`${count('failed')} failed`),
    count('interrupted') > 0 && pc.yellow(`${count('interrupted')} interrupted`),
    rest > 0 && `${rest} not started`,
    leftOut > 0 && `${leftOut} left out`,
  ].filter(Boolean);
  const took = state.startedAt === null ? '' : ` in ${formatDuration(now - state.startedAt)}`;
  const objective =
    best && plan.runs.length > 1
      ? `; best ${plan.objective.metric} ${formatMetric(best.mean)}${best.count > 1 ? ` (mean of ${best.count} runs)` : ''} with ${nameOfBest(state, best)}`
      : '';
  return `${counted(plan.runs.length, 'run')}: ${parts.join(', ') || 'nothing to do'}${took}${objective}`;
};
