import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freezePlan } from '../../src/record/frozen-plan.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { createRig, until } from '../support/rig.ts';
import { makePlan } from '../support/run-directories.ts';
import { smallSpec } from '../support/small-sweep.ts';

test.skipIf(skipWithoutChromium)(
  'an open page follows a running sweep and keeps what the reader has chosen',
  async () => {
    const rig = createRig();
    const path = join(rig.directory, 'report.html');
    rig.write('spec.yaml', smallSpec({ steps: 600, hiddenSizes: [4, 8, 16], run: 'concurrency: 1' }));
    const sweep = rig.start('run', 'spec.yaml', '--no-mlflow');
    const sweeps = join(rig.directory, 'runs', 'trial', 'sweeps');
    await until(() => existsSync(sweeps) && readdirSync(sweeps).some((name) => name.endsWith('.json')));
    const watch = rig.start('report', '--watch', '--output', 'report.html');
    await until(() => existsSync(path));

    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`file://${path}`);
    await page.waitForSelector('html[data-ready]');
    const heading = page.locator('th button', { hasText: 'hiddenSize' });
    await heading.click();
    await heading.click();
    expect(faults).toEqual([]);
    await page.getByRole('button', { name: 'Switch to dark colours' }).click();
    await page.getByLabel('Draw the curve of hiddenSize 8').uncheck();
    await heading.focus();

    expect((await sweep.finished).code).toBe(0);
    expect(await watch.finished).toMatchObject({ code: 0, stderr: '' });
    await page.getByText('Runs: 3 done').waitFor({ timeout: 240_000 });

    expect(await page.locator('th[aria-sort="descending"]').innerText()).toBe('hiddenSize');
    const sizes = page.locator('.configurations tbody tr td:nth-child(3)');
    expect(await sizes.allInnerTexts()).toEqual(['16', '8', '4']);
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    expect(await page.getByLabel('Draw the curve of hiddenSize 8').isChecked()).toBe(false);
    expect(await page.getByLabel('Draw the curve of hiddenSize 16').isChecked()).toBe(true);
    expect(faults).toEqual([]);
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('hiddenSize');
  },
);

test('a watched sweep whose runs never start prints what it waits for, and how to train them', async () => {
  const rig = createRig();
  const plan = makePlan({ experiment: 'tides', axes: { 'model.hiddenSize': [16, 32] } });
  await freezePlan(plan, join(rig.directory, 'runs'));
  const watch = rig.start('report', '--watch', '--output', 'report.html');
  let printed = '';
  watch.process.stdout?.on('data', (text: string) => (printed += text));
  await until(
    () => printed.includes('waiting for'),
    () => printed,
  );
  watch.process.kill('SIGINT');
  expect(await watch.finished).toMatchObject({ code: 0, stderr: '' });
  const waiting = `waiting for ${plan.runs.length} runs that have not started`;
  expect(printed.split('\n')).toContain(
    `No run is running; ${waiting}. Train them with: unroll resume ${plan.sweepId}`,
  );
});
