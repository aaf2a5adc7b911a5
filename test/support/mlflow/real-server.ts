import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { freePort, portIsFree } from '../free-port.ts';
import { findMlflow, mlflowVersion } from '../../../src/mlflow/server/find-mlflow.ts';
import { type MlflowServer, startMlflowServer } from '../../../src/mlflow/server/serve.ts';

/** The oldest server that Unroll talks to. */
export const oldMlflowVersion = '2.22.5';

/**
 * Whether a pinned MLflow is (or can be) installed; else why not. It is installed into the user's cache folder once,
 * which takes minutes. Where the registry is out of reach the tests are skipped with this reason, but never on CI.
 */
export const whyNoMlflow = async (version: string = mlflowVersion): Promise<string | undefined> => {
  const found = await findMlflow({ version, own: true, print: (line) => process.stderr.write(`${line}\n`) });
  if (found.ok) return undefined;
  if (process.env['CI'] === 'true') throw new Error(found.errors[0].message);
  process.stderr.write(`Tests with MLflow ${version} are skipped: ${found.errors[0].message}\n`);
  return found.errors[0].message;
};

/** A real server with an empty store, for all tests of one file. It can be killed and started again on its port. */
export interface RealServer {
  /** Everything that the server stores is in here. */
  readonly folder: string;
  readonly uri: () => string;
  readonly start: () => Promise<void>;
  readonly restart: () => Promise<void>;
}

export const realServer = (version: string = mlflowVersion): RealServer => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-mlflow-'));
  let server: MlflowServer | undefined;
  let port: number | undefined;
  const start = async () => {
    // One of the system's own choice: several files of tests start servers at the same time.
    port ??= await freePort();
    const started = await startMlflowServer({
      runsDirectory: join(folder, 'runs'),
      version,
      print: () => undefined,
      port,
    });
    if (!started.ok) throw new Error(`${started.errors[0].message} ${started.errors[0].help ?? ''}`);
    server = started.value;
  };
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    uri: () => server?.uri ?? '',
    start,
    restart: async () => {
      await server?.kill();
      if (port !== undefined) await portIsFree(port);
      await start();
    },
  };
};
