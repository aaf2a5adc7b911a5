import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { frozenPlanPath, readFrozenPlan } from '../../src/record/frozen-plan.ts';
import { readRun } from '../../src/record/read-runs.ts';
import { fileNames } from '../../src/record/run-files.ts';
import { readJson } from '../../src/system/files.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { createRig } from '../support/rig.ts';

/** What would run as a program if it got into the page as markup. */
const markup = `</script><script>pwned=1</script><img src=x onerror=pwned=1><svg onload=pwned=1>"onfocus=pwned=1 '`;
/** What would drive a terminal, in a name that a file may have. */
const escapes = 'A\u001b]0;t\u0007\u001b[31mred\u009b5A\u202ex\u200b';
const hostile = `${escapes}${markup}`;
const drives = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202e]/;

/** Other runs would still have to be trained, and of another metric there is nothing to draw. */
const kept = ['id', 'experiment', 'metric'];

/** Puts the hostile text behind every string of a JSON file with which it can still be read; returns how many. */
const poisoned = (path: string, isReadable: () => boolean): number => {
  const file = readJson(path) as Record<string, unknown>;
  let count = 0;
  const visit = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
      if (typeof value !== 'string' || kept.includes(key)) continue;
      holder[key] = `${value}${hostile}`;
      writeFileSync(path, JSON.stringify(file));
      if (isReadable()) count++;
      else holder[key] = value;
    }
  };
  visit(file);
  writeFileSync(path, JSON.stringify(file));
  return count;
};

test.skipIf(skipWithoutChromium)(
  'hostile text in plans, runs, logs and names reaches neither the terminal nor the page as a program',
  async () => {
    const folder = join(createRig().directory, escapes);
    mkdirSync(folder);
    const rig = createRig({}, folder);
    const plan = makePlan({ axes: { 'model.hiddenSize': [4, 8], 'model.readout': ['last', 'mean'] } });
    const runs = join(folder, 'runs');
    const directories = writeSweep(runs, plan, (_, index) => (index === 0 ? { state: 'failed' } : {}));
    const planPath = frozenPlanPath(runs, plan);
    const isSamePlan = () => {
      const read = readFrozenPlan(planPath);
      return read.ok && read.value?.sweepId === plan.sweepId && read.value.experiment === plan.experiment;
    };
    let count = poisoned(planPath, isSamePlan);
    for (const directory of directories) {
      const state = () => {
        const read = readRun(directory);
        return read.ok ? `${read.value.run.experiment} ${read.value.state}` : '';
      };
      const before = state();
      for (const name of [fileNames.run, fileNames.status, fileNames.environment, fileNames.evaluation])
        if (readJson(join(directory, name)) !== undefined)
          count += poisoned(join(directory, name), () => state() === before);
      const metrics = { [`train/${hostile}`]: 0.5 };
      appendFileSync(
        join(directory, fileNames.metrics),
        `${JSON.stringify({ step: 100, time: 1, metrics })}\n`,
      );
      appendFileSync(join(directory, fileNames.log), hostile);
    }
    expect(count).toBeGreaterThan(50);

    const name = `${escapes}.html`;
    const { code, stdout, stderr } = await rig.unroll('report', '--watch', '--output', name);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('is written every');
    expect(stdout).not.toMatch(drives);
    for (const words of [['ls'], ['compare', '--all'], ['show', plan.runs[0]?.id ?? ''], ['check']]) {
      const printed = await rig.unroll(...words);
      expect(printed.stdout + printed.stderr, words.join(' ')).not.toMatch(drives);
    }

    const text = readFileSync(join(folder, name), 'utf8');
    expect(text.match(/<script/g)).toHaveLength(2);
    // A name that no address needs to quote.
    const path = join(createRig().directory, 'page.html');
    writeFileSync(path, text);
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => faults.push(message.text()));
    page.on('dialog', () => faults.push('a dialog'));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) faults.push(request.url());
    });
    await page.goto(`file://${path}`);
    await page.waitForSelector('html[data-ready]');
    for (const { id } of plan.runs) {
      await page.locator('#run select').first().selectOption(id);
      expect(await page.locator('#run').innerText()).toContain('onerror=pwned');
    }
    expect(await page.locator('img[src=x], [onload], [onerror], [onfocus]').count()).toBe(0);
    expect(await page.evaluate<string>('typeof pwned')).toBe('undefined');
    expect(faults).toEqual([]);
  },
  240_000,
);
