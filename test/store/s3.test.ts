import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { listRuns, readStatus } from '../../src/record/read-runs.ts';
import { parseStoreAddress } from '../../src/store/address.ts';
import { openStoreAt } from '../../src/store/open-address.ts';
import type { Store } from '../../src/store/store.ts';
import { takeRun } from '../../src/store/take-run.ts';
import { freePort } from '../support/free-port.ts';
import { packed, packedPlan, writeSealedRun } from '../support/packed-runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { admin, noWeed, startWeed, type TestWeed } from '../support/weed.ts';

let endpoint = '';
const folder = mkdtempSync(join(tmpdir(), 'unroll-weed-'));

const open = (env: Readonly<Record<string, string>>, text = 's3://runs/team') => {
  const address = parseStoreAddress(text, '/');
  if (!address.ok) throw new Error(text);
  return openStoreAt(address.value, { HOME: folder, AWS_ENDPOINT_URL: endpoint, ...env });
};

const opened = async (): Promise<Store> => {
  const store = await open(admin);
  if (!store.ok) throw new Error(store.errors[0]?.message);
  return store.value;
};

let server: TestWeed | undefined;

beforeAll(async () => {
  if (noWeed !== undefined) return;
  server = await startWeed(folder);
  ({ endpoint } = server);
}, 180_000);

afterAll(() => {
  server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const [run] = packedPlan.runs;
if (!run) throw new Error('no run');

describe.skipIf(noWeed !== undefined)('a real S3 server', () => {
  test('has a run once, and gives it back whole', async () => {
    const store = await opened();
    const from = writeSealedRun(temporaryDirectory());
    expect(await store.push(from)).toMatchObject({ ok: true, value: 'pushed' });
    const other = await opened();
    expect(await other.push(writeSealedRun(temporaryDirectory(), 0, { step: 90 }))).toMatchObject({
      value: 'there',
    });
    const runsDirectory = temporaryDirectory();
    expect([...(await other.finished(run.experiment))]).toEqual([run.id]);
    expect(await takeRun(other, run, { runsDirectory })).toEqual({ kind: 'taken' });
    const directory = listRuns(runsDirectory).runs[0]?.directory ?? '';
    expect((await packed(directory)).manifest).toEqual((await packed(from, false)).manifest);
    expect(existsSync(join(directory, 'taken.json'))).toBe(true);
  });

  test('keeps the first of several manifests that are written at once', async () => {
    const results = Array.from({ length: 8 }, (_, index) =>
      writeSealedRun(temporaryDirectory(), 1, { firstStartedAt: index }),
    );
    const stores = await Promise.all(results.map(opened));
    const pushed = await Promise.all(stores.map((store, index) => store.push(results[index] ?? '')));
    expect(pushed.filter((one) => one.ok && one.value === 'pushed')).toHaveLength(1);
    expect(pushed.filter((one) => one.ok && one.value === 'there')).toHaveLength(7);
  });

  test('keeps the newest state of a run, and removes it', async () => {
    const { states, ...store } = await opened();
    for (const step of [30, 60]) {
      const from = writeSealedRun(temporaryDirectory(), 2, { state: 'interrupted', step });
      await states.save('r-1', await packed(from));
    }
    const other = await opened();
    const directory = join(temporaryDirectory(), run.experiment, packedPlan.runs[2]?.id ?? '');
    expect(await other.states.bring('r-1', directory)).toMatchObject({ ok: true });
    expect(readStatus(directory)?.outcome?.step).toBe(60);
    await other.states.dropOlder(Date.now() - 3_600_000);
    expect(await states.bring('r-1', directory)).toMatchObject({ value: { run: packedPlan.runs[2]?.id } });
    await other.states.dropOlder(Date.now() + 3_600_000);
    expect(await states.bring('r-1', directory)).toMatchObject({ ok: true, value: undefined });
    expect(await store.id()).toBe(await other.id());
  });

  const wrong: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string, string?]>> = {
    'a wrong key': [{ ...admin, AWS_ACCESS_KEY_ID: 'nobody' }, 'does not know the access key'],
    'a wrong secret': [{ ...admin, AWS_SECRET_ACCESS_KEY: 'x' }, 'the secret key is wrong'],
    'no rights': [
      { AWS_ACCESS_KEY_ID: 'stranger', AWS_SECRET_ACCESS_KEY: 'of-stranger' },
      'you have no right',
    ],
    'no bucket': [admin, 'no such bucket', 's3://absent/x'],
    'no credentials': [{}, 'no credentials'],
  };
  for (const [what, [env, message, address]] of Object.entries(wrong))
    test(`${what} is one clear message`, async () => {
      const store = await open(env, address);
      expect(store.ok ? '' : store.errors[0]?.message).toContain(message);
      expect(store.ok ? 1 : store.errors.length).toBe(1);
    });

  test('the right to read alone takes runs and pushes none', async () => {
    await (await opened()).push(writeSealedRun(temporaryDirectory()));
    const store = await open({ AWS_ACCESS_KEY_ID: 'reader', AWS_SECRET_ACCESS_KEY: 'of-reader' });
    if (!store.ok) throw new Error(store.errors[0]?.message);
    expect(await takeRun(store.value, run, { runsDirectory: temporaryDirectory() })).toEqual({
      kind: 'taken',
    });
    await expect(store.value.push(writeSealedRun(temporaryDirectory(), 2))).rejects.toThrow(
      'you have no right',
    );
  });

  test('a clock that is an hour off is named', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    const store = await open(admin);
    vi.useRealTimers();
    expect(store.ok ? '' : store.errors[0]?.message).toContain('the clock of this machine differs');
  });

  test('credentials come from a profile, too', async () => {
    const path = join(folder, 'credentials');
    writeFileSync(path, '[lab]\naws_access_key_id = admin\naws_secret_access_key = of-admin\n');
    expect(readFileSync(path, 'utf8')).toContain('[lab]');
    expect((await open({ AWS_PROFILE: 'lab', AWS_SHARED_CREDENTIALS_FILE: path })).ok).toBe(true);
  });
});

const listening = async (act: (server: Server) => void): Promise<{ port: number; close: () => void }> => {
  const port = await freePort();
  const broken = createServer();
  act(broken);
  await new Promise<void>((resolve) => broken.listen(port, '127.0.0.1', resolve));
  return { port, close: () => void broken.close() };
};

test('a server that is silent, cuts the connection or is not there is one clear message', async () => {
  const silent = await listening((one) =>
    one.on('connection', (socket) => socket.on('error', () => undefined)),
  );
  const cutting = await listening((one) => one.on('connection', (socket) => socket.destroy()));
  const ports = { 'did not answer in time': silent.port, broke: cutting.port, refuses: await freePort() };
  for (const [message, port] of Object.entries(ports)) {
    const store = await open({ ...admin, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
    expect(store.ok ? '' : store.errors[0]?.message).toContain(message);
  }
  silent.close();
  cutting.close();
});

/** A store at a server that answers in its own way. */
const storeAt = async (answer: RequestListener): Promise<Awaited<ReturnType<typeof open>>> => {
  const hostile = createWebServer(answer);
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    hostile.closeAllConnections();
    hostile.close();
  });
  const { port } = hostile.address() as AddressInfo;
  return await open({ ...admin, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
};

/** Sends the same bytes until the client has gone. */
const withoutEnd: (status: number) => RequestListener = (status) => (_, response) => {
  response.writeHead(status);
  const piece = Buffer.alloc(1 << 20, '<Contents>');
  const more = () => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
};

test('an error without end is cut, and is one message', async () => {
  const store = await storeAt(withoutEnd(403));
  expect(store.ok ? '' : store.errors[0]?.message).toContain('you have no right to it');
});

const marker = '{"format": 1}';
const page = (inner: string) => `<ListBucketResult>${inner}</ListBucketResult>`;
const isListing = (url = '') => url.includes('list-type');

test.each<readonly [string, RequestListener]>([
  [
    'names the same page again and again',
    (_, response) => response.end(page('<NextContinuationToken>more</NextContinuationToken>')),
  ],
  ['sends a page without end', withoutEnd(200)],
  ['breaks off a page', (_, response) => response.end('<ListBucketResult><Contents>')],
])('a list of contents that %s is one message', async (_, list) => {
  const store = await storeAt((request, response) =>
    isListing(request.url) ? list(request, response) : response.end(marker),
  );
  if (!store.ok) throw new Error(store.errors[0]?.message);
  await expect(store.value.experiments()).rejects.toThrow('does not end its list of contents');
});

test('a content that is longer than its manifest is not read on, and leaves nothing behind', async () => {
  const from = writeSealedRun(temporaryDirectory());
  const { manifest } = await packed(from, false);
  const store = await storeAt((request, response) => {
    const { url = '' } = request;
    if (url.endsWith('unroll-store.json')) response.end(marker);
    else if (url.includes('/runs/team/runs/')) response.end(JSON.stringify(manifest));
    else withoutEnd(200)(request, response);
  });
  if (!store.ok) throw new Error(store.errors[0]?.message);
  const runsDirectory = temporaryDirectory();
  expect(await takeRun(store.value, run, { runsDirectory })).toMatchObject({
    kind: 'bad',
    errors: [{ message: expect.stringContaining('than its manifest') as string }],
  });
  expect(listRuns(runsDirectory).runs).toEqual([]);
});
