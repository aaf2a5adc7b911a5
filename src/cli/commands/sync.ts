import { syncRecorded } from '../../mlflow/sync/sync-recorded.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { confirmServer } from '../confirm-server.ts';
import { listenForInterruption } from '../interrupt.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly to?: string | undefined;
  readonly allowServer?: readonly string[] | undefined;
  readonly verify?: boolean | undefined;
  readonly restore?: boolean | undefined;
}

/** `unroll sync [WHAT]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const interruption = listenForInterruption(() => terminal.complain('Stopping; what is sent stays sent.'));
  const [what] = words;
  const { to, json, verify, restore, runsDirectory } = options;
  const result = await syncRecorded({
    runsDirectory,
    ...(what !== undefined && { what }),
    ...(to !== undefined && { to }),
    allowServers: options.allowServer ?? [],
    ...(json !== true && { confirm: confirmServer }),
    verify: verify === true,
    restore: restore === true,
    print: terminal.complain,
    signal: interruption.stop,
  });
  interruption.release();
  if (!result.ok) {
    // The user stopped it, and knows why it failed.
    if (interruption.stop.aborted) return 130;
    return terminal.refuse(result.errors, options);
  }
  const report = result.value;
  if (json) terminal.print(JSON.stringify(report, null, 2));
  else {
    terminal.report(result.notices);
    terminal.print(
      `${counted(report.complete, 'run')} of ${report.runs} complete on the server, ${counted(report.points, 'metric point')} sent` +
        (report.withoutFiles > 0 ? `, ${counted(report.withoutFiles, 'run')} without all files` : '') +
        (verify === true ? `, ${report.verified} verified` : ''),
    );
    for (const { run, differences } of report.differences)
      terminal.print(`${run} differs: ${differences.join('; ')}`);
    for (const link of report.links) terminal.print(`Compare in MLflow: ${link}`);
  }
  if (interruption.stop.aborted) return 130;
  return report.complete === report.runs && report.differences.length === 0 ? 0 : 1;
};
