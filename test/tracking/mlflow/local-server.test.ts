import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findMlflow } from '../../../src/tracking/mlflow/server/find-mlflow.ts';
import { whyNoMlflow } from '../../support/mlflow/real-server.ts';
import { createRig } from '../../support/rig.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const missing = await whyNoMlflow();

/** A port that is free now; `hold` keeps it. */
const findPort = async ({ hold }: { readonly hold: boolean }): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  if (hold) onTestFinished(close);
  else await close();
  return port;
};

const answers = (uri: string) =>
  fetch(`${uri}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

describe.skipIf(missing !== undefined)('unroll mlflow', () => {
  test('serves beside runs/, once, until it is told to stop', { timeout: 300_000 }, async () => {
    const rig = createRig();
    const port = String(await findPort({ hold: false }));
    const uri = `http://127.0.0.1:${port}`;
    const first = rig.start('mlflow', '--port', port);
    onTestFinished(() => void first.process.kill('SIGKILL'));
    await new Promise<void>((resolve) => {
      first.process.stdout?.on('data', (text: string) => text.includes('Ctrl-C') && resolve());
    });
    expect(await answers(uri)).toBe(true);
    const second = await rig.unroll('mlflow');
    expect([second.code, second.stdout]).toEqual([
      0,
      expect.stringMatching(`^MLflow 3\\.\\S+ is running already: ${uri} \\(process \\d+\\)\n$`),
    ]);

    first.process.kill('SIGTERM');
    const { code, stdout, stderr } = await first.finished;
    expect([code, stdout.replaceAll(port, 'PORT').replace(/ 3\.\S+/, ' 3.x'), stderr]).toMatchInlineSnapshot(`
      [
        0,
        "Starting MLflow 3.x at http://127.0.0.1:PORT ...
      Record on it with: MLFLOW_TRACKING_URI=http://127.0.0.1:PORT unroll run SPEC
      Ctrl-C stops it; what is recorded is kept.
      ",
        "Stopping the server.
      ",
      ]
    `);
    expect(await answers(uri)).toBe(false);
    expect(existsSync(join(rig.directory, 'mlflow', 'mlflow.db'))).toBe(true);
  });

  test('says that a port is in use', async () => {
    const port = await findPort({ hold: true });
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
    return found.ok ? 'found' : `${found.problem.message}\n${found.problem.help ?? ''}`;
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
