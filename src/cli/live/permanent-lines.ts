import { join } from 'node:path';
import { createColours } from '../../terminal/colours.ts';
import { unreachable } from '../../diagnostic/diagnostic.ts';
import type { Run } from '../../plan/plan.ts';
import type { Metrics, RunOutcome } from '../../record/events.ts';
import { fileNames } from '../../record/run-files.ts';
import { counted, formatDuration, formatMetric } from '../../terminal/format.ts';

export interface EndLineOptions {
  readonly run: Run;
  readonly name: string;
  readonly outcome: RunOutcome;
  readonly willRetry: boolean;
  /** The directory of runs, as people should read it. */
  readonly runsDirectory: string;
  readonly objectiveMetric: string;
  /** The objective alone, as for a run among many. */
  readonly brief: boolean;
  readonly colour: boolean;
}

/** What stays on the screen of a run that ended; nothing of one that never began. */
export const endLines = (options: EndLineOptions): string[] => {
  const { run, name, outcome, willRetry, runsDirectory, objectiveMetric, brief, colour } = options;
  const pc = createColours(colour);
  const log = pc.dim(`  log: ${join(runsDirectory, run.experiment, run.id, fileNames.log)}`);
  const { reason, message, step } = outcome;
  switch (reason) {
    case 'completed':
      return [
        `${pc.green('✓')} ${name}  ${pc.bold(endMetrics(outcome.metrics, objectiveMetric, brief ? 1 : 3))}  ` +
          pc.dim(`${brief ? '' : `${counted(step, 'step')} in `}${formatDuration(outcome.elapsedMs)}`),
      ];
    case 'pruned':
      return [`${pc.dim('‖')} ${name}: ${message}  ${pc.dim(validationMetric(outcome.metrics))}`.trimEnd()];
    case 'diverged':
    case 'failed':
    case 'crashed':
    case 'out-of-memory':
    case 'timed-out':
      return willRetry
        ? [`${pc.yellow('↻')} ${name}: ${message} It is tried again.`, log]
        : [`${pc.red('✗')} ${name}: ${pc.red(reason)} after step ${step}: ${message}`, log];
    case 'interrupted':
    case 'killed':
      return [`${pc.yellow('■')} ${name}: ${reason} after step ${step}: ${message}`];
    case 'not-started':
      return [];
    default:
      return unreachable(reason);
  }
};

/** What a run that is paused was last measured by. */
const validationMetric = (metrics: Metrics): string => {
  const name = ['val/accuracy', 'val/loss'].find((one) => metrics[one] !== undefined);
  return name === undefined ? '' : `${name} ${formatMetric(metrics[name] ?? NaN)}`;
};

/** The objective first, then what else was measured on the test split. */
const endMetrics = (metrics: Metrics, objective: string, count: number): string => {
  const names = Object.keys(metrics).filter((name) => name !== objective && name.startsWith('test/'));
  if (metrics[objective] !== undefined) names.unshift(objective);
  return names
    .slice(0, count)
    .map((name) => `${name} ${formatMetric(metrics[name] ?? NaN)}`)
    .join(', ');
};
