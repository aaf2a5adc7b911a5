import { join } from 'node:path';
import { watchReport, writeReport } from '../../report/write-report.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { findSweep } from '../recorded.ts';

/** Seconds between two writings of a watched report. */
const watchEverySeconds = 5;

/** `unroll report [EXPERIMENT]` */
export const execute: Execute = async (words, options, terminal) => {
  const runsDirectory = String(options['runsDirectory']);
  const found = findSweep(runsDirectory, words[0], 'report');
  if (!found.ok) {
    terminal.report(found.errors, options);
    return 2;
  }
  const plan = found.value;
  const given = options['output'];
  const path =
    typeof given === 'string' ? given : join(runsDirectory, plan.experiment, `report-${plan.sweepId}.html`);
  if (options['watch']) {
    const interruption = listenForInterruption(() => undefined);
    terminal.print(
      `${path} is written every ${watchEverySeconds} s while the sweep is running; Ctrl-C ends that.`,
    );
    await watchReport(
      plan,
      { runsDirectory, path },
      {
        everySeconds: watchEverySeconds,
        stop: interruption.stop,
        written: () => undefined,
      },
    );
    interruption.release();
    return 0;
  }
  const data = await writeReport(plan, { runsDirectory, path });
  terminal.print(
    `${path}: ${counted(data.comparison.configurations.length, 'configuration')} of ${plan.experiment}`,
  );
  return 0;
};
