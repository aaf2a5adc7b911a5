import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { testFiles } from './test/support/unit-files.ts';

const { unit, system } = testFiles();

export default defineConfig({
  // What the examples import from the installed package.
  resolve: { alias: { 'unroll-ml': new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    // tfjs-node loads in processes only, not in worker threads.
    pool: 'forks',
    // Most tests that start programs wait for them, so a core that is left free for these would be idle.
    maxWorkers: availableParallelism(),
    projects: [
      // Longer, so they come first: Vitest takes projects by name.
      { extends: true, test: { name: 'system', include: [...system] } },
      // Files that share a process load TensorFlow and the modules of src once. Each leaves the process as it was.
      {
        extends: true,
        test: {
          name: 'unit',
          include: [...unit],
          isolate: false,
          setupFiles: ['test/support/leave-clean.ts'],
        },
      },
    ],
    // Texts are compared without colour, wherever the tests run.
    env: { NO_COLOR: '1' },
    globalSetup: 'test/support/print-seed.ts',
    setupFiles: ['test/support/seed.ts'],
    // A test that fails once is a fault, in the test or in the program.
    retry: 0,
    // Only a hang takes so long: both cores may be busy with other work.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
