import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/**
 * The Chromium of this machine. Where there is none, tests of pages are skipped; but continuous integration must have
 * one, so there they fail.
 */
export const chromiumPath: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

export const skipWithoutChromium = chromiumPath === undefined && process.env['CI'] !== 'true';

if (skipWithoutChromium) process.stderr.write('Tests of pages are skipped: no Chromium is on the PATH.\n');

/** Starts it. Whoever calls this closes it. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? 'chromium', args: ['--no-sandbox'] });
