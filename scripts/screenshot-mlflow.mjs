// Opens the compare view of a sweep in a real Chromium, waits until its charts are drawn, keeps a picture, and prints what
// the page shows as JSON: node scripts/screenshot-mlflow.mjs LINK PICTURE.png
// The link is the one that `unroll run` and `unroll sync` print.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { launchChromium } from './launch-chromium.mjs';

const [link, picture] = process.argv.slice(2);
if (!link || !picture) {
  console.error('Usage: node scripts/screenshot-mlflow.mjs LINK PICTURE.png');
  process.exit(2);
}

const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1500, height: 1180 } });
  await page.goto(link, { timeout: 120_000 });
  await page.getByText('matching runs').waitFor({ timeout: 120_000 });
  // What people close once and never see again: an assistant that takes a third of the page, and a notice.
  for (const part of ['assistant.chat_panel.close', 'experiment_page.shared_view.dismiss']) {
    const button = page.locator(`[data-component-id="mlflow.${part}"]`);
    const shown = button.waitFor({ timeout: 20_000 }).then(() => true);
    if (await shown.catch(() => false)) await button.click({ timeout: 20_000, force: true });
  }
  // The charts move while these close.
  await page.waitForTimeout(1000);
  await page.locator('.js-plotly-plot .trace').first().waitFor({ timeout: 120_000 });
  await page.waitForTimeout(3000);
  // Charts are drawn when they come into sight.
  const drawn = { texts: new Set(), lines: 0 };
  const look = async () => {
    for (const text of await page.locator('svg text').allTextContents()) drawn.texts.add(text);
    drawn.lines = Math.max(drawn.lines, await page.locator('.js-plotly-plot .scatterlayer .trace').count());
  };
  await look();
  const text = await page.evaluate(() => document.body.innerText);
  mkdirSync(dirname(picture), { recursive: true });
  await page.screenshot({ path: picture });
  await page.mouse.move(1100, 900);
  for (let scroll = 0; scroll < 6; scroll++) {
    await page.mouse.wheel(0, 500);
    await page.waitForTimeout(700);
    await look();
  }
  console.log(JSON.stringify({ text, chartTexts: [...drawn.texts], lines: drawn.lines }));
} finally {
  await browser.close();
}
