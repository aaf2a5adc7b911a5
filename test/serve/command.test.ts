import { connect } from 'node:net';
import { beforeAll, expect, test, vi } from 'vitest';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { openCase } from '../support/open-case.ts';
import { createRig, until } from '../support/rig.ts';
import { sharedDirectory } from '../support/temporary-directory.ts';
import { trainedCase } from '../support/trained-models.ts';

// Each starts the program, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const model = sharedDirectory('served');

/** An image for the model of case 0, and what its request sends. */
const image = Array.from({ length: 6 }, (_, row) => [0, 40 * row, 128, 255]);
const body = JSON.stringify({ inputs: [image] });

beforeAll(async () => {
  await loadTensorFlow();
  openCase(model, await trainedCase(0, 1));
});

const serve = async () => {
  const { process: child, finished } = createRig().start('serve', model, '--port', '0');
  let shown = '';
  child.stdout?.on('data', (text: string) => (shown += text));
  child.stderr?.on('data', (text: string) => (shown += text));
  const [, port] = await until(() => {
    if (child.exitCode !== null) throw new Error(shown);
    return /Serving exported on http:\/\/127\.0\.0\.1:(\d+)/.exec(shown);
  });
  const isStopping = () =>
    until(
      () => shown.includes('Stopping: '),
      () => shown,
    );
  return { child, finished, port: Number(port), isStopping };
};

/** A request of which the server has the head and a part of the body. */
const beginRequest = async (port: number) => {
  const socket = connect(port, '127.0.0.1');
  const received = { text: '', isClosed: false };
  socket.on('data', (data) => (received.text += data.toString()));
  socket.on('close', () => (received.isClosed = true));
  socket.on('error', () => undefined);
  socket.write(
    `POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  await until(() => received.text.includes('100 Continue'));
  socket.write(body.slice(0, 20));
  return { received, rest: () => socket.write(body.slice(20)) };
};

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: the request that has begun is answered, and the program ends with 0',
  async (signal) => {
    const { child, finished, port, isStopping } = await serve();
    const { received, rest } = await beginRequest(port);
    child.kill(signal);
    await isStopping();
    rest();
    await until(
      () => received.isClosed,
      () => received.text,
    );
    expect(received.text).toContain('HTTP/1.1 200 OK');
    expect(received.text).toContain('"probabilities"');
    expect(await finished).toMatchObject({ code: 0, signal: null });
    await expect(fetch(`http://127.0.0.1:${port}/ping`)).rejects.toThrow();
  },
);

test('a second Ctrl-C ends the program at once, with 130', async () => {
  const { child, finished, port, isStopping } = await serve();
  const { received } = await beginRequest(port);
  child.kill('SIGINT');
  await isStopping();
  child.kill('SIGINT');
  expect(await finished).toMatchObject({ code: 130, signal: null });
  await until(() => received.isClosed);
  expect(received.text).not.toContain('HTTP/1.1 200');
});

test.each([
  ['plain text with NO_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ['colours with FORCE_COLOR', { NO_COLOR: undefined, FORCE_COLOR: '1' }, true],
  ['plain text with FORCE_COLOR=0', { NO_COLOR: undefined, FORCE_COLOR: '0' }, false],
  ['plain text in a pipe', { NO_COLOR: undefined, FORCE_COLOR: undefined }, false],
])('messages are %s', async (_, environment, isColoured) => {
  const { code, stderr } = await createRig(environment).unroll('serve', 'nothing');
  expect(code).toBe(2);
  expect(stderr.includes('\u001b[')).toBe(isColoured);
});
