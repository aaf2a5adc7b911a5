import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHttp } from '../../../src/tensorflow/install/http.ts';
import { locateWheel } from '../../../src/tensorflow/install/package-index.ts';
import { readPipSettings } from '../../../src/tensorflow/install/pip-settings.ts';
import { closedAddress, packageServer } from '../../support/package-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const wheel = {
  project: 'tensorflow-cpu',
  file: 'tensorflow_cpu-1.0-cp311-cp311-any.whl',
  bytes: 1,
  sha256: '',
  libraries: [],
};
const file = { name: wheel.file, content: Buffer.from('x') };

const locate = async (indexUrl: string): Promise<string> => {
  const http = openHttp(undefined);
  onTestFinished(() => http.close());
  const located = await locateWheel(http.get, wheel, { indexUrl, help: 'ask around' });
  return located.ok ? located.value : (located.errors[0]?.message ?? '');
};

test.each([
  ['JSON', {}],
  ['HTML', { html: true }],
])('a wheel is found on an index that answers in %s', async (_name, faults) => {
  const server = await packageServer(file, faults);
  expect(await locate(server.indexUrl)).toBe(server.fileUrl);
});

test("an index's password is sent and never shown", async () => {
  const server = await packageServer(file, { indexStatus: 401 });
  const secret = server.indexUrl.replace('http://', 'http://anna:s%40cret@');
  const message = await locate(secret);
  expect(message).toBe(`${server.indexUrl}tensorflow-cpu/ answered 401`);
  expect(server.requests[0]?.authorization).toBe(`Basic ${Buffer.from('anna:s@cret').toString('base64')}`);
});

test('what is wrong with an index is told', async () => {
  const empty = await packageServer(file, { listsNothing: true });
  expect(await locate(empty.indexUrl)).toBe(`${empty.indexUrl}tensorflow-cpu/ does not list ${wheel.file}`);
  const address = await closedAddress();
  expect(await locate(address)).toBe(`${address}tensorflow-cpu/ cannot be read: it refuses the connection`);
});

test("the index is pip's: its variable, else its file, else the public one", () => {
  const home = temporaryDirectory();
  const none = { HOME: home, PIP_CONFIG_FILE: join(home, 'absent.conf') };
  expect(readPipSettings(none).indexUrl).toBe('https://pypi.org/simple/');
  mkdirSync(join(home, '.config', 'pip'), { recursive: true });
  writeFileSync(
    join(home, '.config', 'pip', 'pip.conf'),
    '[global]\nindex-url = https://mirror.example/simple\ncert=/etc/ours.pem\n[freeze]\nindex-url = no\n',
  );
  expect(readPipSettings({ HOME: home })).toEqual({
    indexUrl: 'https://mirror.example/simple/',
    certificates: '/etc/ours.pem',
  });
  expect(readPipSettings({ HOME: home, PIP_INDEX_URL: 'https://other.example/' }).indexUrl).toBe(
    'https://other.example/',
  );
});
