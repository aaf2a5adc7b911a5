import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startUploader } from '../../../src/mlflow/uploader/start.ts';
import { childrenOf } from '../../support/children.ts';
import { createRig, type Rig, type Started, until } from '../../support/rig.ts';
import { smallSpec } from '../../support/small-sweep.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A server that accepts connections and never answers. */
let server: Server;
let uri = '';

beforeAll(async () => {
  server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => void server.close());

const uploaderOf = ({ process: { pid = 0 } }: Started): number | undefined =>
  childrenOf(pid).find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('uploader.js'));

const begin = (): { readonly rig: Rig; readonly started: Started } => {
  const rig = createRig({ MLFLOW_TRACKING_URI: uri });
  rig.write('spec.yaml', smallSpec({ steps: 5 }));
  return { rig, started: rig.start('run', 'spec.yaml', '--quiet') };
};

const isUploading = (rig: Rig): boolean => {
  const folder = rig.runPath('trial', 'sweeps');
  return (
    existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, 'report.html')))
  );
};

const sendTheRest = 'unroll sync trial';

test.runIf(process.platform === 'linux')('the first Ctrl-C ends the final upload', async () => {
  const { rig, started } = begin();
  await until(() => isUploading(rig));
  started.process.kill('SIGINT');
  const { stdout, stderr, code } = await started.finished;
  expect(code).toBe(0);
  expect(stdout + stderr).toContain(sendTheRest);
});

test.runIf(process.platform === 'linux')('a stopped uploader does not hold the command', async () => {
  const { started } = begin();
  const pid = await until(() => uploaderOf(started));
  process.kill(pid, 'SIGSTOP');
  const { stdout, stderr, code } = await started.finished;
  expect(code).toBe(0);
  expect(stdout + stderr).toContain('the uploader does not answer');
  expect(stdout + stderr).toContain(sendTheRest);
  await until(() => !existsSync(`/proc/${pid}`));
});

test.runIf(process.platform === 'linux')('an uploader that is only late is waited for', async () => {
  const folder = temporaryDirectory();
  const entry = join(folder, 'late.mjs');
  // As on a machine whose other programs leave it no processor for longer than a stopped one is waited for.
  const busy = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000)';
  const answer = "process.send({ type: 'finished', sent: 7, unsent: null })";
  writeFileSync(entry, `process.on('message', (m) => m.type === 'finish' && (${busy}, ${answer}));\n`);
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const uploader = startUploader({ runsDirectory: folder, experiment: 'trial', sweepId: 'a', print, entry });
  expect(await uploader.finish()).toMatchObject({ sent: 7, unsent: null });
  expect(lines).toEqual([]);
});
