import { setTimeout as sleep } from 'node:timers/promises';
import { readRegularText, writeWhole } from '../system/files.ts';
import type { ChosenSweeps } from './chosen-sweeps.ts';
import { loadReport } from './load-report.ts';
import type { ReportData } from './report-data.ts';
import { join } from 'node:path';
import { packageRoot } from '../system/package-root.ts';
import { escapeXml } from './xml.ts';

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
    // An abort ends the wait and is not an error.
    await sleep(everySeconds * 1000, undefined, { signal: stop }).catch(() => undefined);
  }
  written(await writeReport(chosen, options));
};

/** The page's program and style, as the build has put them together. */
const built = (name: string): string => readRegularText(join(packageRoot, 'dist', name));

/** One self-contained HTML page: data, program and style are inside, so that it works from a file, offline, for good. */
export const renderReportPage = (data: ReportData): string => {
  const title = escapeXml(`${data.comparison.experiment}: report`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // Nothing may be loaded from anywhere, whatever the data contains.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">`,
    `<title>${title}</title>`,
    `<style>${built('report-page.css')}</style>`,
    '</head>',
    '<body>',
    '<noscript>This report needs JavaScript to be shown; nothing is loaded from a network.</noscript>',
    `<script type="application/json" id="data">${escapeJson(JSON.stringify(data))}</script>`,
    `<script>${built('report-page.js').replaceAll('</script', '<\\/script')}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
};

/** JSON that cannot end the script element around it. */
const escapeJson = (json: string): string => json.replaceAll('<', String.raw`\u003c`);
