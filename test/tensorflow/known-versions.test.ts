import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { slowBackendWarning } from '../../src/tensorflow/find-addon.ts';
import { unknownVersions } from '../../src/tensorflow/known-versions.ts';

test('the installed versions are known', () => {
  expect(unknownVersions()).toBeUndefined();
});

test('another version is a warning before training, with the command that fixes it', () => {
  const otherVersions = unknownVersions((name) => (name.endsWith('core') ? '5.0.0' : '4.22.0'));
  expect(slowBackendWarning({ addon: '/there/tfjs_binding.node', problems: [], otherVersions })).toEqual({
    code: 'backend-missing',
    severity: 'warning',
    message:
      'Unroll was not tested with @tensorflow/tfjs-core 5.0.0, whose internals it uses: training may fail or compute other numbers.',
    help: 'Run `npm install @tensorflow/tfjs-core@4.22.0`.',
  });
});

test('no other file reaches into TensorFlow.js', () => {
  const inside =
    /\bengine\(\)|\.backend\(\)|\.tensorMap\b|isNullOrUndefined|@tensorflow\/tfjs[\w-]*\/dist\/(?!types)|\.activeTape\b|\.kernelDepth\b/;
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((file) => file.endsWith('.ts') && inside.test(readFileSync(file, 'utf8')));
  expect(files).toEqual(['src/tensorflow/internals.ts']);
});
