import { dirname } from 'node:path';
import { proposedCommand } from '../../system/proposed-command.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Json } from '../../system/json.ts';
import { limits } from '../client/limits.ts';
import { lifecycleOf, type TrackedRun } from '../journal/record.ts';
import type { SweepResults } from './sweep-results.ts';

const cellText = (value: Json | undefined): string =>
  (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value))
    .replaceAll('|', '\\|')
    .replace(/\s+/g, ' ');

/** A Markdown table. */
const markdownTable = (columns: readonly string[], rows: readonly (readonly Json[])[]): string =>
  [columns, columns.map(() => '---'), ...rows]
    .map((row) => `| ${row.map(cellText).join(' | ')} |`)
    .join('\n');

/** A fence longer than any run of backticks in the text. */
const fenced = (language: string, text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
};

const linked = (run: string, link: string | undefined): string =>
  link === undefined ? `run ${run}` : `[run ${run}](${link})`;

const round = (value: number): number => Number(value.toPrecision(5));

/** A run's description on the server. */
export const runNote = (record: TrackedRun): string => {
  const { run, status, directory } = record;
  const outcome = status?.outcome;
  const ended = outcome
    ? `**${outcome.reason}** after ${outcome.step} steps: ${outcome.message}`
    : lifecycleOf(record) === 'lost'
      ? '**lost**: its process exited without reporting a result.'
      : 'In training.';
  const varying = Object.entries(run.varying);
  const metrics = Object.entries(outcome?.metrics ?? {}).filter(([, value]) => Number.isFinite(value));
  return [
    ended,
    varying.length > 0 ? markdownTable(['what varies', 'here'], varying) : '',
    metrics.length > 0
      ? markdownTable(
          ['metric', 'last value'],
          metrics.map(([key, value]) => [key, round(value)]),
        )
      : '',
    `Recorded in \`${directory}\`; show it with \`${proposedCommand(['show', run.id], dirname(dirname(directory)))}\`.`,
  ]
    .filter(Boolean)
    .join('\n\n');
};

/** A sweep's description: what it is, its best run with a link to it, the table of its runs, the spec. */
export const sweepNote = (
  plan: Plan,
  results: SweepResults,
  linkTo: (run: string) => string | undefined,
): string => {
  const { objective } = plan;
  const best = results.best.map(({ run, mean, count }) => {
    const settings = plan.axes.filter((axis) => count === 1 || (axis !== 'seed' && axis !== 'fold'));
    const where = settings.map((axis) => `\`${axis}\` = ${cellText(run.varying[axis])}`).join(', ');
    return (
      `**${round(mean)}**${count > 1 ? ` (mean of ${count} runs)` : ''}${where && ` with ${where}`}` +
      ` (${count > 1 ? 'best: ' : ''}${linked(run.id, linkTo(run.id))})`
    );
  });
  const head = [
    `${plan.runs.length} runs over ${plan.axes.map((axis) => `\`${axis}\``).join(' x ') || 'nothing that varies'}, ` +
      `${results.completed} completed. Objective: ${objective.goal} \`${objective.metric}\`.`,
    results.groups > 1
      ? 'Some runs have other data or targets, so their scores cannot be compared: each group of runs has ranks of its own.'
      : '',
    best.length > 0 ? `Best so far${results.groups > 1 ? ' of each group' : ''}: ${best.join('; ')}.` : '',
  ];
  const spec = fenced('yaml', plan.spec.text);
  for (const most of [30, 15, 5, 0]) {
    const rows = results.rows
      .slice(0, most)
      .map(({ run, rank, objective: value, reason }) => [
        rank,
        ...plan.axes.map((axis) => run.varying[axis] ?? null),
        value === undefined || Number.isNaN(value) ? '' : round(value),
        reason,
      ]);
    const table = markdownTable(['rank', ...plan.axes, objective.metric, 'outcome'], rows);
    const more =
      results.rows.length > most ? `\n\n... and ${results.rows.length - most} more, in \`results.csv\`.` : '';
    const body = [...head, most > 0 ? table + more : '', `The spec (\`${plan.spec.path}\`):`, spec]
      .filter(Boolean)
      .join('\n\n');
    if (body.length <= limits.tagLength) return body;
  }
  return [...head, 'The spec is too long for a description: see the artifact `spec.yaml`.']
    .filter(Boolean)
    .join('\n\n');
};
