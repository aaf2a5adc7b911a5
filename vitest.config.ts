import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What the examples import from the installed package.
  resolve: { alias: { 'unroll-ml': new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    // tfjs-node loads in processes only, not in worker threads.
    pool: 'forks',
    // Texts are compared without colour, wherever the tests run.
    env: { NO_COLOR: '1' },
    // Real servers, a browser and killed processes on a shared machine: CI asks a second time before it says no.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
