import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { testFiles } from './test/support/unit-files.ts';

/** `npm run test:unit`: the tests that start no other program. */
const onlyUnit = process.env['UNROLL_TESTS'] === 'unit';

export default defineConfig({
  // What the examples import from the installed package.
  resolve: { alias: { 'unroll-ml': new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    include: onlyUnit ? [...testFiles().unit] : ['test/**/*.test.ts'],
    // tfjs-node loads in processes only, not in worker threads.
    pool: 'forks',
    // The default leaves a core free for the programs that the other tests start.
    ...(onlyUnit && { maxWorkers: availableParallelism() }),
    // Texts are compared without colour, wherever the tests run.
    env: { NO_COLOR: '1' },
    globalSetup: 'test/support/print-seed.ts',
    setupFiles: 'test/support/seed.ts',
    // A test that fails once is a fault, in the test or in the program.
    retry: 0,
    // Only a hang takes so long: both cores may be busy with other work.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
