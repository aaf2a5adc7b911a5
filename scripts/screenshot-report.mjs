// Opens a report in a real Chromium and keeps a picture: node scripts/screenshot-report.mjs REPORT.html PICTURE.png
// [width] [light|dark] [height]. Without a height it shows the whole page. That of the README: unroll run
// experiments/quickstart.yaml --set 'seeds=[1,2]' --set train.trainingIters=40000, then unroll report quickstart --output
// r.html, then this with 1200 light 1195.
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchChromium } from './launch-chromium.mjs';

const [report, picture, width = '1400', colorScheme = 'light', height] = process.argv.slice(2);
if (!report || !picture) {
  console.error(
    'Usage: node scripts/screenshot-report.mjs REPORT.html PICTURE.png [width] [light|dark] [height]',
  );
  process.exit(2);
}

const browser = await launchChromium();
try {
  const page = await browser.newPage({
    viewport: { width: Number(width), height: Number(height ?? 1000) },
    colorScheme,
  });
  await page.goto(pathToFileURL(resolve(report)).href);
  await page.waitForSelector('html[data-ready]');
  // Charts are drawn when they come into sight.
  for (const figure of await page.locator('figure, [role=img]').all())
    await figure.scrollIntoViewIfNeeded().catch(() => undefined);
  await page.waitForTimeout(1500);
  mkdirSync(dirname(picture), { recursive: true });
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: picture, fullPage: height === undefined });
} finally {
  await browser.close();
}
