import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { writeReport } from '../../src/report/write-report.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { makePlan, type MadeRun, only, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const pageTest = test.skipIf(skipWithoutChromium);
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Browser | undefined;
beforeAll(async () => {
  if (skipWithoutChromium) return;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
});

const plan = makePlan({
  axes: { 'model.hiddenSize': [64, 128], 'optimizer.learningRate': [0.001, 0.003, 0.01] },
  seeds: [1, 2, 3],
});

/** The report of a made sweep, opened from its file; fails at once on any error or request of the page. */
const open = async (
  ofPlan: Plan,
  how: { readonly made?: (index: number) => MadeRun; readonly scheme?: 'light' | 'dark' } = {},
): Promise<Page> => {
  const runs = temporaryDirectory();
  writeSweep(runs, ofPlan, (_run, index) => how.made?.(index) ?? {});
  const path = join(runs, 'report.html');
  await writeReport(only(ofPlan), { runsDirectory: runs, path });
  const page = await (browser ?? expect.fail()).newPage({ colorScheme: how.scheme ?? 'light' });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => faults.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) faults.push(request.url());
  });
  onTestFinished(async () => {
    await page.close();
    expect(faults).toEqual([]);
  });
  await page.goto(`file://${path}`);
  await page.waitForSelector('html[data-ready]');
  return page;
};

const column = async (page: Page, title: string): Promise<string[]> => {
  const titles = await page.locator('.configurations thead th').allInnerTexts();
  const at = titles.findIndex((one) => one.startsWith(title));
  return page.locator(`.configurations tbody td:nth-child(${at + 1})`).allInnerTexts();
};

pageTest('the table sorts by any column with the keyboard, and back', async () => {
  const page = await open(plan);
  expect((await column(page, 'Rank'))[0]).toBe('1 ★ best');
  const heading = page.getByRole('button', { name: 'learningRate', exact: true });
  await heading.focus();
  await page.keyboard.press('Enter');
  expect(await column(page, 'learningRate')).toEqual(['0.001', '0.001', '0.003', '0.003', '0.01', '0.01']);
  await page.keyboard.press('Enter');
  expect((await column(page, 'learningRate'))[0]).toBe('0.01');
  expect(await page.locator('th[aria-sort="descending"]').innerText()).toBe('learningRate');
});

pageTest('the curves are those of the chosen configurations and metric', async () => {
  const page = await open(plan);
  const curves = page.locator('.legend li');
  expect(await curves.count()).toBe(5);
  await page.locator('.configurations tbody tr:first-child input').uncheck();
  expect(await curves.count()).toBe(4);
  const loss = await curves.first().innerText();
  await page.getByLabel('Metric').selectOption('train/accuracy');
  expect(await curves.first().innerText()).not.toBe(loss);
  expect(await page.locator('#curves [role=img]').getAttribute('aria-label')).toContain('train/accuracy');
});

pageTest(
  'a run is shown from the table and from the list, with why it failed and what it confused',
  async () => {
    const page = await open(plan, { made: (index) => (index === 0 ? { state: 'diverged', step: 50 } : {}) });
    await page.locator('.configurations tbody tr:nth-child(2) button').click();
    expect(await page.locator('#run .confusion tbody tr').count()).toBe(10);
    expect(await page.locator('#run').innerText()).toContain('Most confused:');
    await page.locator('#run select').selectOption(plan.runs[0]?.id ?? '');
    expect(await page.locator('#run').innerText()).toContain('failed: The loss became NaN.');
    expect(await page.locator('#run .confusion').count()).toBe(0);
  },
);

pageTest('both charts are drawn when they come into view', async () => {
  const page = await open(plan);
  for (const id of ['curves', 'parallel']) {
    await page.locator(`#${id}`).scrollIntoViewIfNeeded();
    await page.locator(`#${id} canvas`).waitFor();
    const painted = await page.evaluate<boolean>(
      `{
        const canvas = document.querySelector('#${id} canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        data.some((byte) => byte !== 0);
      }`,
    );
    expect(painted).toBe(true);
  }
});

pageTest('the theme follows the system and can be switched', async () => {
  const page = await open(plan, { scheme: 'dark' });
  const paper = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  expect(await paper()).toBe('rgb(20, 23, 28)');
  await page.getByRole('button', { name: 'Switch to light colours' }).click();
  expect(await paper()).toBe('rgb(255, 255, 255)');
});

pageTest(
  'a narrow window cuts nothing off: tables scroll within the page and keep what names a row',
  async () => {
    const page = await open(plan);
    await page.setViewportSize({ width: 500, height: 900 });
    const beyond = (selector: string) =>
      page.evaluate<number>(
        `{ const one = document.querySelector('${selector}'); one.scrollWidth - one.clientWidth; }`,
      );
    expect(await beyond('html')).toBe(0);
    expect(await beyond('#spec pre')).toBe(0);
    expect(await beyond('#configurations .scroll')).toBeGreaterThan(300);
    const first = page.locator('.configurations tbody tr:first-child button');
    const before = await first.boundingBox();
    await page.evaluate("document.querySelector('#configurations .scroll').scrollLeft = 300");
    expect(await first.boundingBox()).toEqual(before);
  },
);

pageTest('settings that are no numbers stand in the order of the spec', async () => {
  const page = await open(
    makePlan({ axes: { 'model.readout': ['mean', 'last', 'max'], 'model.hiddenSize': [64, 128] } }),
  );
  expect(await page.locator('#heat-map tbody th').allInnerTexts()).toEqual(['mean', 'last', 'max']);
});

pageTest.each(['light', 'dark'] as const)('axe finds nothing in %s colours', async (scheme) => {
  const page = await open(plan, {
    scheme,
    made: (index) => (index === 0 ? { state: 'crashed', step: 20 } : index === 1 ? { state: 'new' } : {}),
  });
  await page.evaluate(readFileSync(axe, 'utf8'));
  const results = await page.evaluate<AxeResults>('axe.run()');
  expect(results.violations.map(({ id, impact, nodes }) => [id, impact, nodes[0]?.html])).toEqual([]);
});

pageTest('a single run and a sweep without any result have a page too', async () => {
  const single = await open(makePlan());
  expect(await single.locator('h2').allInnerTexts()).toEqual([
    'Comparison',
    'Learning curves',
    'One run',
    'Spec',
  ]);
  const none = await open(plan, { made: () => ({ state: 'new' }) });
  expect(await none.locator('.headline').innerText()).toBe('No run has a result yet.');
});
