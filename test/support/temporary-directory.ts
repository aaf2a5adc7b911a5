import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory that is gone after the test. */
export const temporaryDirectory = (label = 'test'): string => {
  const directory = mkdtempSync(join(tmpdir(), `unroll-${label}-`));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
