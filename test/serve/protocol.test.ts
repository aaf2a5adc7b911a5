import { connect, createServer } from 'node:net';
import { Validator, type SpecData } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { registry } from '../../src/registry/rows.ts';
import { serveModels } from '../../src/serve/serve.ts';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { openCase } from '../support/open-case.ts';
import { serve } from '../support/serving.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainedCase } from '../support/trained-models.ts';

/** Of the cases of `trainedCase`: 0 reads images of 6 rows of 4 pixels, 1 tokens of a vocabulary of 7. */
const modelOf = async (number: number): Promise<OpenModel> =>
  openCase(temporaryDirectory(), await trainedCase(number, 1));

/** An image for the model of case 0. */
const image = Array.from({ length: 6 }, (_, row) => [0, 40 * row, 128, 255]);

const refused = (status: number, message: string) => ({
  status,
  body: { message: expect.stringContaining(message) as string },
});

beforeAll(async () => {
  await loadTensorFlow();
});

describe('a server', () => {
  test('describes itself: models, version, metrics, and an OpenAPI document that is valid', async () => {
    const { url, post } = await serve({ images: await modelOf(0), words: await modelOf(1) });
    expect((await post({ inputs: [image, image] })).status).toBe(200);
    expect((await post({ inputs: [[1, 2, 3, 4, 5, 6]] }, { path: '/models/words/invocations' })).status).toBe(
      200,
    );
    const ping = await fetch(`${url}/ping`);
    expect([ping.status, await ping.text()]).toEqual([200, '\n']);
    expect(await (await fetch(`${url}/version`)).text()).toMatch(/^\d+\.\d+\.\d+/);
    expect(await (await fetch(`${url}/models`)).json()).toMatchObject({
      models: [
        {
          name: 'images',
          default: true,
          task: 'classification',
          reads: expect.stringContaining('6') as string,
        },
        { name: 'words', default: false },
      ],
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('unroll_requests_total{path="/invocations",code="200"} 1');
    expect(metrics).toContain('unroll_batch_size_bucket{model="images",le="2"} 1');
    expect(metrics).toContain('unroll_batch_size_bucket{model="images",le="1"} 0');
    expect(metrics).toContain('unroll_queue_depth{model="words"} 0');
    // Each line is a comment or a sample in Prometheus' text format, each family has one type.
    const lines = metrics.trimEnd().split('\n');
    expect(
      lines.filter((line) => !/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/.test(line)),
    ).toEqual([]);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as SpecData;
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    expect(Object.keys((document as { paths: object }).paths)).toContain('/models/words/invocations');
  });

  test('refuses what it cannot answer with the status, the place and what it expected', async () => {
    const { url, post, requests } = await serve(
      { images: await modelOf(0), words: await modelOf(1) },
      { mostBody: 2000 },
    );
    const steps = image.slice(0, 5);
    const cases: readonly (readonly [unknown, number, string])[] = [
      ['{"inputs": [', 400, 'not valid JSON'],
      ['', 400, 'not valid JSON'],
      ['[1, 2]', 400, 'The body is [1,2]'],
      [{}, 400, 'The body has no data'],
      [{ inputs: [image], instances: [image] }, 400, 'inputs and instances'],
      [{ input: [image] }, 400, 'Did you mean inputs?'],
      [{ inputs: { input: [image] } }, 400, 'Did you mean inputs?'],
      [{ inputs: [] }, 400, '`inputs` is []'],
      [{ inputs: 7 }, 400, '`inputs` is 7'],
      [{ inputs: [image, null] }, 400, '`inputs[1]` is null'],
      [{ inputs: [image, [[1, 2, 3]]] }, 400, '`inputs[1]` has 1 step, and'],
      [{ inputs: [[...steps, [1, 2, 3]]] }, 400, '`inputs[0][5]` has 3 numbers'],
      [{ inputs: [[...steps, [1, 2, 'x', 4]]] }, 400, '`inputs[0][5][2]` is "x"'],
      [{ inputs: [[...steps, [1, 2, 300, 4]]] }, 400, 'a pixel from 0 to 255'],
      [{ instances: [{ inputs: image }, image] }, 400, '`instances[1]`'],
      [{ dataframe_split: { columns: ['a'], data: [[1, 2]] } }, 400, 'Row 1 of dataframe_split has 2 values'],
      [{ dataframe_records: [{ a: 1 }] }, 400, 'Send the pixels as `inputs`'],
      [{ inputs: [image], params: { horizon: 3 } }, 400, 'params.horizon'],
      ['x'.repeat(3000), 413, '2000 bytes'],
    ];
    for (const [body, status, message] of cases)
      expect(await post(body), JSON.stringify(body)).toMatchObject(refused(status, message));
    const words = { path: '/models/words/invocations' };
    expect(await post({ inputs: [[1, 2, 3, 4, 5, 7]] }, words)).toMatchObject(
      refused(400, 'a whole number from 0 to 6'),
    );
    expect(await post({ inputs: [image] }, { path: '/models/wordz/invocations' })).toMatchObject(
      refused(404, 'Did you mean words?'),
    );
    expect(await post('a,b', { type: 'text/csv' })).toMatchObject(refused(415, 'image/png'));
    expect(await post('a,b', { type: 'text/html' })).toMatchObject(refused(415, 'text/html'));
    expect(await post('{}', { type: 'application/json; charset=latin1' })).toMatchObject(
      refused(415, 'UTF-8'),
    );
    expect(await post('no image', { type: 'image/png' })).toMatchObject(refused(400, 'not a PNG image'));
    const get = await fetch(`${url}/invocations`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(`${url}/ping`, { method: 'DELETE' })).status).toBe(405);
    expect(await post({}, { path: '/invocation' })).toMatchObject(refused(404, 'Did you mean /invocations?'));
    expect((await fetch(`${url}/%c0%af`)).status).toBe(400);
    expect((await fetch(`${url}/%zz`)).status).toBe(400);
    expect(requests.filter(({ status }) => status >= 500)).toEqual([]);
    expect(requests.find(({ status }) => status === 413)?.message).toContain('2000 bytes');
  });

  test.each([400, 1e10])('may have %i s for a request: more than Node.js has of its own', async (timeout) => {
    const { post } = await serve({ images: await modelOf(0) }, { timeout });
    expect((await post({ inputs: [image] })).status).toBe(200);
  });

  test('is answered by what is sent again after a body that was refused: the connection stays usable', async () => {
    const { url } = await serve({ images: await modelOf(0) });
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const ask = (body: string) =>
      `POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    socket.write(ask('{') + ask(JSON.stringify({ inputs: [image] })));
    let text = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.includes('predictions')) break;
    }
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 200']);
  });

  test('has one clear message for a port or an address that it cannot have', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { readonly port: number };
    const limits = { mostBody: 1e6, timeout: 10, mostConcurrent: 10, mostRows: 8, window: 0 };
    const models = new Map([['images', await modelOf(0)]]);
    const at = (host: string, wanted: number) =>
      serveModels(models, registry, { host, port: wanted, limits, log: () => undefined });
    expect(await at('127.0.0.1', port)).toMatchObject({
      ok: false,
      errors: [{ message: `Another program listens on port ${port} of 127.0.0.1.` }],
    });
    expect(await at('192.0.2.1', 0)).toMatchObject({
      ok: false,
      errors: [{ message: '192.0.2.1 is not an address of this machine.' }],
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});
