import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';

const folder = join(packageRoot, 'examples', 'draw-digit');

let browser: Browser | undefined;
beforeAll(async () => {
  if (skipWithoutChromium) return;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
});

type Place = readonly [x: number, y: number];

const circle = (middle: Place, width: number, height: number): readonly Place[] =>
  Array.from({ length: 25 }, (_, at) => [
    middle[0] + width * Math.sin((at / 24) * 2 * Math.PI),
    middle[1] - height * Math.cos((at / 24) * 2 * Math.PI),
  ]);

/** Lines through places of the pad, which is 280 pixels wide and high. */
const drawings: readonly (readonly [digit: string, lines: readonly (readonly Place[])[]])[] = [
  ['0', [circle([140, 140], 55, 85)]],
  [
    '1',
    [
      [
        [145, 45],
        [140, 235],
      ],
    ],
  ],
  [
    '7',
    [
      [
        [75, 60],
        [200, 60],
        [130, 235],
      ],
    ],
  ],
];

const draw = async (page: Page, lines: readonly (readonly Place[])[]): Promise<void> => {
  const box = await page.locator('#pad').boundingBox();
  if (!box) throw new Error('There is no pad.');
  for (const line of lines) {
    for (const [at, [x, y]] of line.entries()) {
      await page.mouse.move(box.x + x, box.y + y, { steps: 3 });
      if (at === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
};

test.skipIf(skipWithoutChromium)('a page classifies drawn digits with an exported model', async () => {
  const page = await (browser ?? expect.fail()).newPage({ viewport: { width: 700, height: 520 } });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js');
  await page.route('https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4', (route) =>
    route.fulfill({ path: tfjs }),
  );
  await page.route('http://digits.test/**', (route) =>
    route.fulfill({ path: join(folder, new URL(route.request().url()).pathname) }),
  );
  await page.goto('http://digits.test/index.html');
  for (const [digit, lines] of drawings) {
    await draw(page, lines);
    await expect.poll(() => page.locator('#answer').innerText(), { timeout: 60_000 }).not.toBe('?');
    expect(await page.locator('#answer').innerText()).toBe(digit);
    const screenshot = process.env['UNROLL_SCREENSHOTS'];
    if (screenshot !== undefined) await page.screenshot({ path: join(screenshot, `digit-${digit}.png`) });
    await page.locator('#clear').click();
    expect(await page.locator('#answer').innerText()).toBe('?');
  }
  expect(faults).toEqual([]);
});
