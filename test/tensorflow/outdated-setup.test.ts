import { beforeEach, expect, test, vi } from 'vitest';
import { outdatedSetup } from '../../src/tensorflow/outdated-setup.ts';
import { partKey, unrollKernels } from '../../src/tensorflow/install/native-parts.ts';

const library = (key: string) => `/cache/native/unroll_kernels-${key}/unroll_kernels.node`;

beforeEach(() => {
  vi.stubEnv('UNROLL_NATIVE_LIBRARY', undefined);
  vi.stubEnv('UNROLL_BACKEND', undefined);
});

test('kernels that were compiled from other sources are told before anything trains', () => {
  expect(outdatedSetup(library(partKey(unrollKernels())))).toBeUndefined();
  expect(outdatedSetup(library('0123456789abcdef'))).toMatchObject({
    code: 'backend-missing',
    severity: 'error',
    got: 'unroll_kernels-0123456789abcdef',
    help: expect.stringContaining('npm run setup') as string,
  });
});

test('nothing is told where they are not used', () => {
  vi.stubEnv('UNROLL_BACKEND', 'wasm');
  expect(outdatedSetup(library('0123456789abcdef'))).toBeUndefined();
  vi.stubEnv('UNROLL_BACKEND', undefined);
  vi.stubEnv('UNROLL_NATIVE_LIBRARY', library('0123456789abcdef'));
  expect(outdatedSetup(library('0123456789abcdef'))).toBeUndefined();
});
