import { join } from 'node:path';
import { watchReport, writeReport } from '../../report/write-report.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { readSweeps } from '../recorded.ts';
import type { ChosenSweeps } from '../../report/chosen-sweeps.ts';
import type { ReportData } from '../../report/report-data.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** Seconds between two writings of a watched report. */
const watchEverySeconds = 5;

interface Options {
  readonly runsDirectory: string;
  readonly sweep?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
  readonly output?: string | undefined;
  readonly watch?: boolean | undefined;
}

/** `unroll report [SWEEPS...]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory } = options;
  const found = readSweeps(runsDirectory, {
    command: 'report',
    names: words,
    sweepIds: options.sweep ?? [],
    all: options.all === true,
  });
  if (!found.ok) return terminal.refuse(found.errors);
  const chosen = found.value;
  const path = options.output ?? join(runsDirectory, defaultPath(chosen));
  if (options.watch) {
    const interruption = listenForInterruption(() => undefined);
    terminal.print(
      `${path} is written every ${watchEverySeconds} s while the sweep is running; Ctrl-C ends that.`,
    );
    await watchReport(
      chosen,
      { runsDirectory, path },
      {
        everySeconds: watchEverySeconds,
        stop: interruption.stop,
        written: idleNotice(terminal.print, resumeCommand(chosen, runsDirectory)),
      },
    );
    if (!interruption.stop.aborted) terminal.print(`No run is running or waiting; ${path} is complete.`);
    interruption.release();
    return 0;
  }
  const { comparison } = await writeReport(chosen, { runsDirectory, path });
  const sweeps = comparison.sweeps.length === 1 ? 'sweep' : counted(comparison.sweeps.length, 'sweep');
  const which = comparison.sweeps.length === 1 ? ` ${comparison.sweeps[0]?.id ?? ''}` : '';
  const configurations = counted(comparison.configurations.length, 'configuration');
  terminal.print(`${path}: ${configurations} of ${comparison.experiment}, ${sweeps}${which}`);
  return 0;
};

/** Returns what prints that no run is running, once each time; between two runs that is so for a moment. */
const idleNotice = (print: (line: string) => void, resume: string) => {
  let idleWritings = 0;
  return ({ comparison }: ReportData): void => {
    const { running, new: waiting } = comparison.counts;
    idleWritings = running === 0 && waiting > 0 ? idleWritings + 1 : 0;
    if (idleWritings !== 2) return;
    const what = waiting === 1 ? '1 run that has not started' : `${waiting} runs that have not started`;
    print(`No run is running; waiting for ${what}. Train them with: ${resume}`);
  };
};

const resumeCommand = ({ sweeps }: ChosenSweeps, runsDirectory: string): string =>
  proposedCommand(['resume', ...(sweeps[0] ? [sweeps[0].plan.sweepId] : [])], runsDirectory);

/** Below the folder of runs: a file for each single sweep, and one for several of an experiment or of several. */
const defaultPath = ({ sweeps }: ChosenSweeps): string => {
  const [first] = sweeps;
  const { experiment = '', sweepId = '' } = first?.plan ?? {};
  if (sweeps.length === 1) return join(experiment, `report-${sweepId}.html`);
  const mixed = sweeps.some(({ plan }) => plan.experiment !== experiment);
  return join(mixed ? '' : experiment, 'report-sweeps.html');
};
