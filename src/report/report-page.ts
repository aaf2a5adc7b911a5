import { join } from 'node:path';
import { readRegularText } from '../system/files.ts';
import { packageRoot } from '../system/package-root.ts';
import type { ReportData } from './report-data.ts';
import { escapeXml } from './xml.ts';

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
