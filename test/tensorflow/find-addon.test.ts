import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { slowBackendWarning } from '../../src/tensorflow/find-addon.ts';
import { installationFile } from '../../src/tensorflow/installation.ts';
import type { Installation } from '../../src/tensorflow/installation.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const addonWith = async (parts: Installation['parts']): Promise<string> => {
  const cache = temporaryDirectory();
  mkdirSync(join(cache, 'installations'));
  writeFileSync(installationFile(cache), JSON.stringify({ parts }));
  const program = join(packageRoot, 'test', 'support', 'print-addon.ts');
  return runTypeScript(program, { UNROLL_CACHE: cache });
};

test('the addon of the set-up is found, and a deleted one is not', async () => {
  const addon = join(temporaryDirectory(), 'tfjs_binding.node');
  writeFileSync(addon, '');
  expect(await addonWith({ tfjs_binding: addon })).toBe(addon);
  expect(await addonWith({ tfjs_binding: `${addon}.gone` })).not.toContain('gone');
});

test('without an addon there is one warning: what is missing, what it costs, what fixes it', () => {
  const problems = [{ message: 'No C++ compiler was found', help: 'apt install g++' }];
  expect(slowBackendWarning({ addon: '/there/tfjs_binding.node', problems })).toBeUndefined();
  expect(slowBackendWarning({ addon: undefined, problems })).toEqual({
    code: 'backend-missing',
    severity: 'warning',
    message:
      'Native TensorFlow is not ready: No C++ compiler was found. Training runs on WebAssembly, about 50 times slower.',
    help: 'Run `npm run setup`; `unroll doctor` prints what is missing.',
  });
  expect(slowBackendWarning({ addon: undefined, problems: [] })?.message).toContain('it is not set up');
});
