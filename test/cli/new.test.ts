import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listNames, newKinds } from '../../src/cli/init/own-row.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { createRig } from '../support/rig.ts';

/** `npx --no unroll` is this checkout's program. */
const pathWith = (folder: string): string => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const npx = `#!/bin/sh\nshift 2\nexec '${process.execPath}' '${join(packageRoot, 'bin', 'unroll.js')}' "$@"\n`;
  writeFileSync(join(bin, 'npx'), npx);
  chmodSync(join(bin, 'npx'), 0o755);
  return `${bin}:${process.env['PATH'] ?? ''}`;
};

it.each(newKinds)('begins a %s whose own test passes', async (kind) => {
  const rig = createRig();
  expect(await rig.unroll('new', kind, 'my-own')).toMatchObject({ code: 0, stderr: '' });
  expect((await rig.unroll(listNames[kind])).stdout).toContain('my-own');
  const { status, stdout } = spawnSync(process.execPath, ['--test', 'my-own.test.mjs'], {
    cwd: rig.directory,
    encoding: 'utf8',
    env: { ...process.env, PATH: pathWith(rig.directory), MLFLOW_TRACKING_URI: undefined },
  });
  expect(status, stdout).toBe(0);
  expect(stdout).toMatch(/pass 2\b/);
});

it('leaves a config that is there as it is, and says what to add', async () => {
  const rig = createRig();
  const config = "import { defineConfig } from 'unroll-ml';\nexport default defineConfig({});\n";
  rig.write('unroll.config.ts', config);
  const { stdout } = await rig.unroll('new', 'model', 'my-own');
  expect(stdout).toContain("import { myOwn } from './my-own.ts'; and models: [myOwn]");
  expect(readFileSync(join(rig.directory, 'unroll.config.ts'), 'utf8')).toBe(config);
});

it('overwrites nothing', async () => {
  const rig = createRig();
  rig.write('my-own.yaml', 'mine');
  expect(await rig.unroll('new', 'dataset', 'my-own')).toMatchObject({ code: 2 });
  expect(readFileSync(join(rig.directory, 'my-own.yaml'), 'utf8')).toBe('mine');
  expect(existsSync(join(rig.directory, 'my-own.ts'))).toBe(false);
});
