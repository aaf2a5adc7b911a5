import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import type { Probe } from '../../src/tensorflow/probe.ts';

test('a process that loads native TensorFlow compiles no packages of TensorFlow.js', async () => {
  const probe = pathToFileURL(join(packageRoot, 'dist', 'probe.js')).href;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=commonjs',
    '--eval',
    `import('${probe}').then(() => console.log(JSON.stringify(Object.keys(require('node:module')._cache))))`,
  ]);
  const [found = '', files = ''] = stdout.split('\n');
  expect((JSON.parse(found) as Probe).backend).toBe('tensorflow');
  const loaded = JSON.parse(files) as string[];
  expect(loaded.filter((file) => file.endsWith('.node'))).not.toHaveLength(0);
  expect(loaded.filter((file) => file.endsWith('js'))).toEqual([]);
});
