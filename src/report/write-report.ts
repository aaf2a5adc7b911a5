import { setTimeout as sleep } from 'node:timers/promises';
import { writeWhole } from '../system/files.ts';
import type { ChosenSweeps } from './chosen-sweeps.ts';
import { loadReport } from './load-report.ts';
import type { ReportData } from './report-data.ts';
import { renderReportPage } from './report-page.ts';

export interface WriteReportOptions {
  readonly runsDirectory: string;
  /** The HTML file to write. */
  readonly path: string;
}

/** Writes the report of sweeps as one HTML file, and returns its data. */
export const writeReport = async (
  chosen: ChosenSweeps,
  { runsDirectory, path }: WriteReportOptions,
  reloadSeconds: number | null = null,
): Promise<ReportData> => {
  const data = await loadReport(chosen, { runsDirectory, now: Date.now(), reloadSeconds });
  writeWhole(path, renderReportPage(data));
  return data;
};

/**
 * Writes the report again and again while the sweep is running; an open page loads itself anew. Ends when no run is
 * running or waiting any more, or when the signal aborts; the last page stays as it is. `written` is called after each time.
 */
export const watchReport = async (
  chosen: ChosenSweeps,
  options: WriteReportOptions,
  watch: {
    readonly everySeconds: number;
    readonly stop: AbortSignal;
    readonly written: (data: ReportData) => void;
  },
): Promise<void> => {
  const { everySeconds, stop, written } = watch;
  while (!stop.aborted) {
    const data = await writeReport(chosen, options, everySeconds);
    written(data);
    const { running, new: waiting } = data.comparison.counts;
    if (running + waiting === 0) break;
    // An abort ends the wait; that is no error.
    await sleep(everySeconds * 1000, undefined, { signal: stop }).catch(() => undefined);
  }
  written(await writeReport(chosen, options));
};
