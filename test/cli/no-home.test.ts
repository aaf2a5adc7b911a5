import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { cacheFolder } from '../../src/system/cache-folder.ts';
import { createRig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The words before a command of a user that the system does not know. */
const asNumber = ['setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups', '--'] as const;

const [program, ...words] = asNumber;
const mayBeNumber =
  process.getuid?.() === 0 &&
  spawnSync(program, [...words, process.execPath, '-e', ''], { cwd: packageRoot }).status === 0;

test('an empty HOME counts as none', () => {
  vi.stubEnv('HOME', '');
  const cache = cacheFolder({});
  vi.unstubAllEnvs();
  expect(isAbsolute(cache), cache).toBe(true);
});

test.skipIf(!mayBeNumber)(
  'a user without a home folder is sent to the variables that replace it (needs root)',
  async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'cache'));
    for (const path of [folder, join(folder, 'cache')]) chmodSync(path, 0o777);
    const none = { HOME: undefined, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined };
    const lost = createRig({ ...none, UNROLL_CACHE: undefined }, folder, packageRoot, asNumber);
    lost.write('spec.yaml', smallSpec({ steps: 2 }));
    const { code, stderr } = await lost.unroll('validate', 'spec.yaml');
    expect(stderr).toContain('This user has no home folder, where the cache would be.');
    expect(stderr).toContain('Set HOME, or let UNROLL_CACHE name a folder.');
    expect(code, stderr).toBe(2);
    const rig = createRig({ ...none, UNROLL_CACHE: join(folder, 'cache') }, folder, packageRoot, asNumber);
    expect(await rig.unroll('validate', 'spec.yaml')).toMatchObject({ code: 0 });
    expect(await rig.unroll('plan', 'spec.yaml')).toMatchObject({ code: 0 });
    const inHome = await rig.unroll('plan', 'spec.yaml', '--store', '~/store');
    expect(inHome.stderr).toContain('this user has none');
    expect(inHome.code).toBe(2);
  },
);
