import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { installationFile, readInstallation } from '../../src/tensorflow/installation.ts';
import { createRig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { sharedDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const rig = createRig({}, sharedDirectory());
rig.write('spec.yaml', smallSpec({ steps: 2 }));
rig.write('rows.jsonl', JSON.stringify({ inputs: [1, 0.5, -1] }));

/** The warnings of a command that uses a model with a cache. */
const warningsWith = async (cache: string, ...words: readonly string[]): Promise<readonly string[]> => {
  const { code, stderr } = await createRig({ UNROLL_CACHE: cache }, rig.directory).unroll(...words);
  expect(code, stderr).toBe(0);
  return stderr.split('\n').filter((line) => line.startsWith('warning'));
};

/** A cache whose set-up made the kernels from other sources, as before an update of Unroll. */
const outdatedCache = (): string => {
  const installation = readInstallation();
  const cache = temporaryDirectory();
  const { tfjs_binding: addon = '', unroll_kernels: kernels = '' } = installation?.parts ?? {};
  const old = join(cache, 'native', 'unroll_kernels-0123456789abcdef', 'unroll_kernels.node');
  mkdirSync(dirname(old), { recursive: true });
  copyFileSync(kernels, old);
  const record = installationFile(cache);
  mkdirSync(dirname(record), { recursive: true });
  const parts = { tfjs_binding: addon, unroll_kernels: old };
  // The sources are newer than this set-up.
  writeFileSync(record, JSON.stringify({ ...installation, parts, files: [], decidedAt: 0 }));
  return cache;
};

test.skipIf(readInstallation()?.parts['unroll_kernels'] === undefined)(
  'a model that is computed by slower code than it could be is one line that names the set-up',
  async () => {
    const trained = await rig.unroll('run', 'spec.yaml', '--no-mlflow');
    expect(trained.code, trained.stderr).toBe(0);
    const predict = ['predict', 'best:trial', '--input', 'rows.jsonl'];
    const ready = await rig.unroll(...predict);
    expect(ready).toMatchObject({ code: 0, stderr: '' });
    const missing =
      'warning: Native TensorFlow is not ready: it is not set up, so the model is computed more slowly. Run `npm run setup`.';
    expect(await warningsWith(temporaryDirectory(), ...predict)).toEqual([missing]);
    const outdated =
      "warning: Unroll's own kernels were made for another version of Unroll, so the model is computed more slowly. Run `npm run setup`.";
    expect(await warningsWith(outdatedCache(), ...predict)).toEqual([outdated]);
  },
);
