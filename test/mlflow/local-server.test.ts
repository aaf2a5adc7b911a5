import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findMlflow } from '../../src/mlflow/server/find-mlflow.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { whyNoMlflow } from '../support/mlflow/real-server.ts';
import { createRig } from '../support/rig.ts';
import { until } from '../support/until.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const missing = await whyNoMlflow();

const holdPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
};

/** Starts a server as a person does, and waits until it says how it is used. */
const serve = async (rig: ReturnType<typeof createRig>) => {
  const started = rig.start('mlflow');
  onTestFinished(() => void started.process.kill('SIGKILL'));
  let said = '';
  const uri = await new Promise<string>((resolve, reject) => {
    started.process.stdout?.on('data', (text: string) => {
      said += text;
      const found = /MLFLOW_TRACKING_URI=(\S+) [^]*Ctrl-C/.exec(said)?.[1];
      if (found) resolve(found);
    });
    started.process.once('exit', () => reject(new Error(`it ended: ${said}`)));
  });
  return { ...started, uri };
};

const answers = (uri: string) =>
  fetch(`${uri}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

describe.skipIf(missing !== undefined)('unroll mlflow', () => {
  test(
    'serves beside runs/, once for each place, until it is told to stop or is killed',
    { timeout: 400_000 },
    async () => {
      const rigs = [createRig(), createRig()] as const;
      // Both look for a port at the same time.
      const [first, second] = await Promise.all([serve(rigs[0]), serve(rigs[1])]);
      expect(first.uri).not.toBe(second.uri);
      expect([await answers(first.uri), await answers(second.uri)]).toEqual([true, true]);
      const again = await rigs[0].unroll('mlflow');
      expect([again.code, again.stdout]).toEqual([
        0,
        expect.stringMatching(`^MLflow 3\\.\\S+ is running already: ${first.uri} \\(process \\d+\\)\n$`),
      ]);

      first.process.kill('SIGTERM');
      const { code, stdout, stderr } = await first.finished;
      const lines = stdout.split('\n').slice(-3).join('\n').replaceAll(first.uri, 'URI');
      expect([code, lines, stderr]).toMatchInlineSnapshot(`
        [
          0,
          "Record on it with: MLFLOW_TRACKING_URI=URI unroll run SPEC
        Ctrl-C stops it; what is recorded is kept.
        ",
          "Stopping the server.
        ",
        ]
      `);
      expect([await answers(first.uri), await answers(second.uri)]).toEqual([false, true]);
      expect(existsSync(join(rigs[0].directory, 'mlflow', 'mlflow.db'))).toBe(true);
      second.process.kill('SIGKILL');
      await until(async () => !(await answers(second.uri)));
    },
  );

  test('says that a port is in use', async () => {
    const port = await holdPort();
    const { code, stderr } = await createRig().unroll('mlflow', '--port', String(port));
    expect([code, stderr.replaceAll(String(port), 'PORT')]).toMatchInlineSnapshot(`
      [
        2,
        "error [tracking] Port PORT is in use.
        help:     Choose another one with --port.

      For examples: unroll explain tracking
      ",
      ]
    `);
  });
});

describe('without MLflow at hand', () => {
  const find = async (python: string | undefined) => {
    const binaries = join(temporaryDirectory(), 'bin');
    mkdirSync(binaries);
    if (python !== undefined) {
      writeFileSync(join(binaries, 'python3'), `#!/bin/sh\n${python}\n`);
      chmodSync(join(binaries, 'python3'), 0o755);
    }
    const found = await findMlflow({
      print: () => undefined,
      env: { PATH: binaries, UNROLL_CACHE: temporaryDirectory() },
    });
    return found.ok ? 'found' : `${found.errors[0].message}\n${found.errors[0].help ?? ''}`;
  };

  test('and without a Python that is new enough', async () => {
    expect(await find(undefined)).toMatchInlineSnapshot(`
      "MLflow needs Python 3.10 or newer, and no Python is on the PATH.
      Install it (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python), or give the address of a server that runs elsewhere."
    `);
    expect(await find('echo 3 8')).toMatchInlineSnapshot(`
      "MLflow needs Python 3.10 or newer; the newest here is 3.8.
      Install it (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python), or give the address of a server that runs elsewhere."
    `);
  });

  test("and without Debian's package for virtual environments", async () => {
    const debian = 'case "$1" in -c) echo 3 11 ;; *) echo "ensurepip is not available."; exit 1 ;; esac';
    expect(await find(debian)).toMatchInlineSnapshot(`
      "The virtual environment for MLflow cannot be made: ensurepip is not available.
      On Debian and Ubuntu: apt install python3-venv."
    `);
  });
});

test.runIf(process.platform === 'linux')(
  'a note beside the store that cannot be written is named, and is not left empty',
  () => {
    const cwd = temporaryDirectory();
    const words = [process.execPath, join(packageRoot, 'bin', 'unroll.js'), 'mlflow'];
    const { status, stderr } = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$@"', 'sh', ...words], {
      cwd,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/Cannot write \S*mlflow\/\.gitignore: the file is larger than allowed/);
    expect(readdirSync(join(cwd, 'mlflow'))).toEqual(['artifacts']);
  },
  60_000,
);
