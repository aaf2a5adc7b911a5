import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** An empty directory that is gone after the test. */
export const temporaryDirectory = (label = 'test'): string => {
  const directory = mkdtempSync(join(tmpdir(), `unroll-${label}-`));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

/** An empty directory that is gone after the tests of the file that asks for it. */
export const sharedDirectory = (label = 'test'): string => {
  const directory = mkdtempSync(join(tmpdir(), `unroll-${label}-`));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
