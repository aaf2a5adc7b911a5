import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../../src/diagnostic/diagnostic.ts';
import { fetchFile } from '../../../src/tensorflow/install/download.ts';
import { openHttp } from '../../../src/tensorflow/install/http.ts';
import { closedAddress, packageServer } from '../../support/package-server.ts';
import { seededBytes } from '../../support/seed.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const content = seededBytes(500_000, 'download');
const sha256 = createHash('sha256').update(content).digest('hex');

const fetchInto = async (file: string, url: string, expected: string = sha256): Promise<Result<void>> => {
  const http = openHttp(undefined);
  onTestFinished(() => http.close());
  const bytes = content.length;
  return fetchFile(http.get, { url, file, bytes, sha256: expected, onProgress: () => undefined });
};

const messageOf = (result: Result<void>): string =>
  result.ok ? 'fine' : `${result.errors[0]?.message ?? ''} | ${result.errors[0]?.help ?? ''}`;

test('a download whose connection breaks goes on where it broke', async () => {
  const server = await packageServer({ name: 'a.whl', content }, { cutFirstAfter: 200_000 });
  const file = join(temporaryDirectory(), 'downloads', 'a.whl');
  expect(messageOf(await fetchInto(file, server.fileUrl))).toBe('fine');
  // How much of the last piece reached the disk is the system's affair.
  expect(server.requests.map(({ range }) => range)).toEqual([
    undefined,
    expect.stringMatching(/^bytes=[1-9]\d*-$/),
  ]);
  expect(readFileSync(file).equals(content)).toBe(true);
  expect(existsSync(`${file}.part`)).toBe(false);
});

test('what an earlier set-up left is not asked for again', async () => {
  const server = await packageServer({ name: 'a.whl', content });
  const file = join(temporaryDirectory(), 'a.whl');
  writeFileSync(`${file}.part`, content.subarray(0, 123_456));
  expect(messageOf(await fetchInto(file, server.fileUrl))).toBe('fine');
  expect(server.requests.map(({ range }) => range)).toEqual(['bytes=123456-']);
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('a download that was complete but not accepted yet needs no request', async () => {
  const server = await packageServer({ name: 'a.whl', content });
  const file = join(temporaryDirectory(), 'a.whl');
  writeFileSync(`${file}.part`, content);
  expect(messageOf(await fetchInto(file, server.fileUrl))).toBe('fine');
  expect(server.requests).toEqual([]);
});

test.each([
  ['sends the whole file whatever is asked', { ignoresRanges: true }],
  ['refuses ranges', { refusesRanges: true }],
])('a server that %s is asked for the file from its start', async (_name, faults) => {
  const server = await packageServer({ name: 'a.whl', content }, faults);
  const file = join(temporaryDirectory(), 'a.whl');
  writeFileSync(`${file}.part`, content.subarray(0, 100));
  expect(messageOf(await fetchInto(file, server.fileUrl))).toBe('fine');
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('a partial file that is longer than the whole is begun anew', async () => {
  const server = await packageServer({ name: 'a.whl', content });
  const file = join(temporaryDirectory(), 'a.whl');
  writeFileSync(`${file}.part`, Buffer.concat([content, Buffer.from('more')]));
  expect(messageOf(await fetchInto(file, server.fileUrl))).toBe('fine');
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('a file with another digest is deleted, and both digests are told', async () => {
  const server = await packageServer({ name: 'a.whl', content });
  const file = join(temporaryDirectory(), 'a.whl');
  const message = messageOf(await fetchInto(file, server.fileUrl, 'f'.repeat(64)));
  expect(message).toContain(`expected ${'f'.repeat(64)}, got ${sha256}`);
  expect(existsSync(file) || existsSync(`${file}.part`)).toBe(false);
});

test('a server that is not there is named, and what has arrived is kept', async () => {
  const file = join(temporaryDirectory(), 'a.whl');
  writeFileSync(`${file}.part`, content.subarray(0, 1000));
  const address = await closedAddress();
  const message = messageOf(await fetchInto(file, `${address}a.whl`));
  expect(message).toContain(`${address}a.whl: it refuses the connection`);
  expect(message).toContain('again');
  expect(readFileSync(`${file}.part`).length).toBe(1000);
});

test('an error status is told with the address', async () => {
  const server = await packageServer({ name: 'a.whl', content }, { fileStatus: 403 });
  const message = messageOf(await fetchInto(join(temporaryDirectory(), 'a.whl'), server.fileUrl));
  expect(message).toContain(`${server.fileUrl} answered 403`);
});
