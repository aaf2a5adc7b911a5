import { connect } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { openCase } from '../support/open-case.ts';
import { testSeed } from '../support/seed.ts';
import { serve, type Served } from '../support/serving.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainedCase } from '../support/trained-models.ts';

beforeAll(async () => {
  await loadTensorFlow();
});

/** Texts of tokens; lengths vary in the first case that has them. */
const caseOf = async (wanted: (found: Awaited<ReturnType<typeof trainedCase>>) => boolean) => {
  for (let number = 8; ; number += 10) {
    const found = await trainedCase(number, 1);
    if (wanted(found)) return openCase(temporaryDirectory(), found);
  }
};

const numbersOf = (body: unknown): readonly number[] =>
  Object.values((body as { readonly predictions: Readonly<Record<string, unknown>> }).predictions).flatMap(
    (values) => [values].flat(9) as readonly number[],
  );

const batchesOf = async ({ url }: Served) => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const valueOf = (name: string) => Number(new RegExp(`^${name}{.*} (.*)$`, 'm').exec(metrics)?.[1]);
  return { batches: valueOf('unroll_batch_size_count'), sequences: valueOf('unroll_batch_size_sum') };
};

test('requests that arrive together become one batch, with the answers that each has alone', async () => {
  const model = await caseOf(({ lengths }) => lengths !== undefined);
  const random = randomStream(testSeed, 'texts');
  const texts = Array.from({ length: 12 }, () =>
    Array.from({ length: 1 + random.integer(6) }, () => random.integer(7)),
  );
  const alone = await serve({ words: model });
  const expected: unknown[] = [];
  for (const text of texts) expected.push((await alone.post({ inputs: [text] })).body);
  expect(await batchesOf(alone)).toEqual({ batches: 12, sequences: 12 });

  // Full batches do not wait for the end of the window.
  const together = await serve({ words: model }, { window: 60_000, mostRows: 6 });
  const asked = texts.map((text) => together.post({ inputs: [text] }));
  const bad = together.post({ inputs: [[99]] });
  const answers = await Promise.all(asked);
  expect((await bad).status).toBe(400);
  answers.forEach(({ status, body }, at) => {
    expect(status).toBe(200);
    const wanted = numbersOf(expected[at]);
    numbersOf(body).forEach((value, one) =>
      expect(Math.abs(value - (wanted[one] ?? NaN))).toBeLessThan(1e-6),
    );
    expect(numbersOf(body)).toHaveLength(wanted.length);
  });
  expect(await batchesOf(together)).toEqual({ batches: 2, sequences: 12 });

  // A request with more sequences than a batch has several of them.
  const large = await alone.post({ inputs: Array.from({ length: 11 }, () => texts).flat() });
  expect(numbersOf(large.body)).toHaveLength(11 * expected.flatMap(numbersOf).length);
  expect(await batchesOf(alone)).toEqual({ batches: 15, sequences: 144 });
});

test('a request beyond the limits is sent away, and those before it are answered', async () => {
  const model = await caseOf(() => true);
  const text = [1, 2, 3, 4, 5, 6];
  // Waits for a batch that never fills: the time of each is over before.
  const late = await serve({ words: model }, { window: 600_000, timeout: 0.2 });
  expect(await late.post({ inputs: [text] })).toMatchObject({
    status: 504,
    body: { error_code: 'DEADLINE_EXCEEDED' },
  });

  const busy = await serve({ words: model }, { window: 600_000, mostRows: 3, mostConcurrent: 2 });
  const first = [busy.post({ inputs: [text] }), busy.post({ inputs: [text] })];
  for (;;) {
    const metrics = await (await fetch(`${busy.url}/metrics`)).text();
    if (metrics.includes('unroll_queue_depth{model="words"} 2')) break;
  }
  const third = await fetch(`${busy.url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [text] }),
  });
  expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
  // The server stops in order: what it has taken is answered at once.
  const stopped = busy.stop();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
  await stopped;
  await expect(busy.post({ inputs: [text] })).rejects.toThrow();
});

test('a body that never arrives is not waited for longer than a request may take, nor when the server stops', async () => {
  const { url, stop } = await serve({ words: await caseOf(() => true) }, { timeout: 0.5 });
  const begin = async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const head = ['POST /invocations HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
    await new Promise<void>((resolve) => {
      socket.write([...head, 'Content-Length: 50', '', '{'].join('\r\n'), () => resolve());
    });
    return socket;
  };
  const answer = (await (await begin()).setEncoding('utf8').toArray()).join('');
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  const open = await begin();
  // It has arrived once a later request is answered.
  await fetch(`${url}/ping`);
  await stop();
  open.destroy();
  // Less than the minute that Node.js allows.
}, 50_000);
