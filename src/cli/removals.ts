import { counted, formatBytes } from '../terminal/format.ts';
import { renderTable, type TableCell, type Column } from '../terminal/table.ts';
import { finishRemovals, remove, type Removal } from '../record/removal.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { unlessRefused } from '../diagnostic/system-problem.ts';
import type { ExitCode, Terminal } from './command.ts';
import { defaultLeaseMs } from '../system/lock.ts';
import { screen } from './screen.ts';

/** What can be pruned: runs in a state, or the checkpoints of runs that are done and need none. */
export const prunable = ['failed', 'interrupted', 'stale', 'checkpoints'] as const;

/** The options of `rm` and `prune`. */
export interface RemovalOptions {
  readonly runsDirectory: string;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** More rows than this help no reader; `--json` has them all. */
const shownRows = 40;

const columns: readonly Column[] = [
  { title: 'run', align: 'left', keep: Infinity },
  { title: 'experiment', align: 'left', keep: 1 },
  { title: 'state', align: 'left', keep: Infinity },
  { title: 'what', align: 'left', keep: 2 },
  { title: 'size', align: 'right', keep: Infinity },
];

/** Shows what would be deleted with its size, and deletes it with `--yes`. A run that is being trained is left alone. */
export const carryOut = (
  removals: readonly Removal[],
  options: RemovalOptions,
  terminal: Terminal,
): ExitCode => {
  const running = removals.filter(({ run }) => run.state === 'running');
  const wanted = removals.filter(({ run }) => run.state !== 'running');
  const refused: Diagnostic[] = [];
  const done: Removal[] = [];
  const held: Removal[] = [];
  if (options.yes === true) {
    for (const one of wanted) {
      const isRemoved = unlessRefused(() => remove(one), refused);
      if (isRemoved !== undefined) (isRemoved ? done : held).push(one);
    }
    // What cannot be deleted hides the rest of an earlier deletion, too.
    if (refused.length === 0) unlessRefused(() => finishRemovals(options.runsDirectory), refused);
  }
  const left = [...running, ...held];
  const code = left.length + refused.length > 0 ? 1 : 0;
  const bytes = (list: readonly Removal[]) => list.reduce((sum, one) => sum + one.bytes, 0);

  terminal.report(refused);
  if (options.json) {
    const removed = new Set(done);
    const items = removals.map((one) => ({
      run: one.run.id,
      experiment: one.run.experiment,
      state: one.run.state,
      what: one.what,
      bytes: one.bytes,
      deleted: removed.has(one),
    }));
    terminal.print(JSON.stringify({ deleted: done.length, bytes: bytes(done), items }, null, 2));
    return code;
  }
  const rows = removals
    .slice(0, shownRows)
    .map(({ run: { id, experiment, state }, what, bytes: size }): TableCell[] =>
      [id, experiment, state, what, formatBytes(size)].map((text) => ({ text })),
    );
  const more = removals.length - rows.length;
  if (removals.length > 0) {
    for (const line of renderTable(columns, rows, { width: screen(process.stdout).width }))
      terminal.print(line);
    if (more > 0) terminal.print(`and ${more} more; --json prints all`);
    terminal.print('');
  }
  for (const { run } of left)
    terminal.complain(
      `${run.id} is being trained and is left alone. A process that has ended on another machine or in another container holds it for ${defaultLeaseMs / 1000} s.`,
    );
  if (wanted.length === 0) terminal.print('Nothing to delete.');
  else if (options.yes === true)
    terminal.print(`${counted(done.length, 'item')} deleted, ${formatBytes(bytes(done))} freed.`);
  else
    terminal.print(
      `${counted(wanted.length, 'item')}, ${formatBytes(bytes(wanted))}. Nothing is deleted yet: add --yes.`,
    );
  return code;
};
