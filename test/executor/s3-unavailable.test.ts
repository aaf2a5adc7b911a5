import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { noRedis, startRedis } from '../support/redis.ts';
import { createRig } from '../support/rig.ts';
import { numbersOf } from '../support/run-numbers.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { admin, noWeed, startWeed, type TestWeed } from '../support/weed.ts';
import { runOnWorkers, startWorker, submitter, trainedHere } from '../support/workers.ts';

const why = noWeed ?? noRedis;

let weed: TestWeed | undefined;
const folder = mkdtempSync(join(tmpdir(), 'unroll-weed-'));

beforeAll(async () => {
  if (why === undefined) weed = await startWeed(folder);
}, 180_000);

afterAll(() => {
  weed?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A call by its number, from 1, and whether it is the first one with its method and address. */
type IsRefused = (call: number, isFirst: boolean) => boolean;

/** What stands before the S3 server, and answers 503 to some calls. */
const startProxy = async (isRefused: IsRefused) => {
  let calls = 0;
  const seen = new Set<string>();
  const proxy = createServer((incoming, response) => {
    const what = `${incoming.method} ${incoming.url}`;
    const isFirst = !seen.has(what);
    seen.add(what);
    if (isRefused(++calls, isFirst)) {
      incoming.resume();
      response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const outgoing = request(new URL(url, weed?.endpoint), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  return { calls: () => calls, environment: { ...admin, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` } };
};

describe.skipIf(why !== undefined)(`an S3 server that answers 503 (${why ?? 'weed'})`, () => {
  const text = smallSpec({
    steps: 40,
    seeds: 2,
    train: 'checkpointEvery: 10',
    run: 'threadsPerRun: 1',
  }).replace('hiddenSize: 8', 'hiddenSize: 140');

  /** Trains two runs, whose weights are too large for Redis, on a worker; both use the store through the proxy. */
  const sweep = async (name: string, isRefused: IsRefused) => {
    let isHealed = false;
    const proxy = await startProxy((...call) => !isHealed && isRefused(...call));
    const redis = await startRedis();
    const store = ['--store', `s3://runs/${name}`] as const;
    const words = ['--slots', '1', ...store];
    const worker = await startWorker(redis.url, { environment: proxy.environment, words });
    const rig = submitter(redis.url, { spec: text, environment: proxy.environment });
    const run = async () => {
      const ran = await rig.unroll(...runOnWorkers, ...store);
      return { ...ran, said: `${ran.stdout}${ran.stderr}${worker.said()}` };
    };
    return { rig, run, worker, calls: proxy.calls, heal: () => void (isHealed = true) };
  };

  test('to each call when it is made first: all is recorded, and the store has it', async () => {
    const { rig, run, calls } = await sweep('first', (_, isFirst) => isFirst);
    const { code, said } = await run();
    expect(code, said).toBe(0);
    expect(calls()).toBeGreaterThan(10);
    expect(said).not.toContain('cannot be used');
    expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
    const other = createRig({ ...admin, AWS_ENDPOINT_URL: weed?.endpoint });
    const pulled = await other.unroll('pull', '--store', 's3://runs/first');
    expect(pulled.code, pulled.stderr).toBe(0);
    expect(numbersOf(other)).toEqual(numbersOf(rig));
  });

  test.each([12, 20, 35])(
    'to every call from number %i on: messages name it, and later the same command records what is trained',
    async (from) => {
      const { rig, run, worker, calls, heal } = await sweep(`from-${from}`, (call) => call >= from);
      const { code, said } = await run();
      expect(calls()).toBeGreaterThan(from);
      expect(said).toMatch(/The store s3:\/\/runs\/from-\d+ cannot be used: the server answered 503/);
      // The weights of a run may be in the store already, which does not give them back now.
      expect(code === 0 || said.includes('runs are not done'), said).toBe(true);
      heal();
      const again = await run();
      expect(again.code, again.said).toBe(0);
      expect(worker.said().split('began trial/')).toHaveLength(3);
      expect(numbersOf(rig)).toEqual(numbersOf(await trainedHere(text)));
      expect(await rig.unroll('check', 'runs')).toMatchObject({ code: 0 });
    },
  );
});
