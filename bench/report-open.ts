// How long a report of 500 runs takes to open in a real Chromium: node bench/run.mjs report-open.ts [runs]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../src/system/package-root.ts';
import { chromiumPath, launchChromium } from '../test/support/chromium.ts';
import { writeFinishedSweep } from './finished-sweep.ts';

const count = Number(process.argv[2] ?? 500);
const repetitions = 5;
const folder = mkdtempSync(join(tmpdir(), 'unroll-report-open-'));

try {
  if (chromiumPath === undefined)
    throw new Error('No Chromium is installed. Debian and Ubuntu: apt-get install chromium');
  const { runs } = await writeFinishedSweep(folder, {
    learningRates: Math.ceil(count / 20),
    hiddenSizes: [8, 16, 32, 64],
    seeds: 5,
    detail: true,
  });
  const page = join(folder, 'report.html');
  const words = ['report', 'many', '--runs-directory', join(folder, 'runs'), '--output', page];
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot, 'bin', 'unroll.js'), ...words], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const size = (statSync(page).size / 1e6).toFixed(1);
  console.log(`${runs.length} runs with curves, ${size} MB, node ${process.version}`);

  const browser = await launchChromium();
  try {
    const times: number[] = [];
    for (let again = 0; again <= repetitions; again++) {
      const tab = await browser.newPage();
      const began = performance.now();
      await tab.goto(pathToFileURL(page).href);
      await tab.waitForSelector('html[data-ready]');
      // The first one warms the browser up.
      if (again > 0) times.push((performance.now() - began) / 1000);
      await tab.close();
    }
    const sorted = times.toSorted((a, b) => a - b).map((time) => time.toFixed(2));
    console.log(`opened in ${sorted.join(', ')} s`);
  } finally {
    await browser.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
