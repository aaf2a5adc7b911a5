import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startUploader } from '../../src/mlflow/uploader/start.ts';
import { packageRoot, packageVersion } from '../../src/system/package-root.ts';
import { copyPackage } from '../support/package-copy.ts';
import { createRig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A copy of the built package in which `program` has another text. */
const packageWith = (program: string, text: string): string => {
  const copy = copyPackage();
  writeFileSync(join(copy, 'dist', program), text);
  return copy;
};

const stayAlive = 'setInterval(() => undefined, 1000);';

test.each([
  [
    'of another version',
    { type: 'ready', version: '9.9.9' },
    `its process is of Unroll 9.9.9, and the sweep was started by ${packageVersion}`,
  ],
  [
    'that sends what nobody knows',
    { type: 'events', events: [{ type: 'dreamt' }], residentBytes: 1 },
    'its process sent a message that this version of Unroll does not know',
  ],
])(
  'a training process %s interrupts its run with the reason, and is ended',
  async (_what, message, words) => {
    const root = packageWith('child.js', `process.send(${JSON.stringify(message)}); ${stayAlive}`);
    // The copy is not set up, and nothing is trained.
    const rig = createRig({ UNROLL_BACKEND: 'wasm' }, temporaryDirectory(), root);
    const spec = rig.write('spec.yaml', smallSpec({ steps: 2, run: 'threadsPerRun: 1' }));
    const { code, stdout, stderr } = await rig.start('run', spec).finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain(`interrupted after step 0: ${words}`);
    const [id = ''] = rig.runIds('trial');
    expect(rig.status('trial', id).outcome).toMatchObject({ reason: 'interrupted' });
  },
);

test.each([
  ['child.js', 'The runner sent a message that this version of Unroll does not know.'],
  ['uploader.js', 'The uploader received a message that its version of Unroll does not know.'],
])('%s ends with a clear error when it receives an unknown message', async (program, words) => {
  const child = fork(join(packageRoot, 'dist', program), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.send({ type: 'dance' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, last: stderr.trim().split('\n').at(-1) }).toEqual({ code: 1, last: words });
});

test('an uploader that reports what nobody knows is ended, and the command to send the rest is printed', async () => {
  const entry = join(temporaryDirectory(), 'uploader.mjs');
  writeFileSync(entry, `process.send({ type: 'progress', share: 0.5 }); ${stayAlive}`);
  const printed: string[] = [];
  const uploader = startUploader({
    runsDirectory: 'runs',
    experiment: 'trial',
    sweepId: 'abc',
    entry,
    print: (line) => printed.push(line),
  });
  expect(await uploader.finish()).toMatchObject({ sent: 0, unsent: null });
  expect(printed).toHaveLength(1);
  expect(printed[0]).toContain('unroll sync trial');
  expect(printed[0]).toContain('It sent a message that this version of Unroll does not know.');
});
