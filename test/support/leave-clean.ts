import { afterAll, vi } from 'vitest';

const directory = process.cwd();

// Unit tests share a process: what a file changes of it must not reach the next one.
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  process.chdir(directory);
});
