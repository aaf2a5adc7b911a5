import { testSeed } from './seed.ts';

/** Runs once before all test files. */
export default (): void => {
  console.log(`random tests use UNROLL_TEST_SEED=${testSeed}`);
};
