import { expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { malformedBody, modelsOfEachKind, validBodies } from '../support/malformed-bodies.ts';
import { testSeed } from '../support/seed.ts';
import { serve } from '../support/serving.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** `node bench/run.mjs serve.ts malformed` sends 24,000 and compares the memory before and after. */
const bodies = 600;

test('malformed bodies are refused with a message, and never harm what arrives with them', async () => {
  const served = await serve(await modelsOfEachKind(temporaryDirectory()), { mostBody: 100_000 });
  const send = async ({ model, type, text }: (typeof validBodies)[number]) => {
    const response = await fetch(`${served.url}/models/${model}/invocations`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Buffer.from(text),
    });
    return { status: response.status, text: await response.text() };
  };
  const alone = [];
  for (const body of validBodies) {
    const answer = await send(body);
    expect(answer.status, `${body.text} ${answer.text}`).toBe(200);
    alone.push(answer.text);
  }
  const counts = new Map<number, number>();
  for (let from = 0; from < bodies; from += 20) {
    const malformed = Array.from({ length: 20 }, (_, at) =>
      malformedBody(randomStream(testSeed, 'malformed', from + at)),
    );
    const at = (from / 20) % validBodies.length;
    const [good, ...answers] = await Promise.all(
      [validBodies[at] as (typeof validBodies)[number], ...malformed].map(send),
    );
    expect(numbersIn(good?.text ?? ''), alone[at]).toEqual(numbersIn(alone[at] ?? ''));
    answers.forEach(({ status, text }, one) => {
      counts.set(status, (counts.get(status) ?? 0) + 1);
      const which = `${JSON.stringify(malformed[one])} of UNROLL_TEST_SEED=${testSeed}: ${text}`;
      const cause = served.requests.find(({ error }) => error !== undefined)?.error;
      if (status >= 500) throw new Error(which, { cause });
      expect([200, 400, 413, 415], which).toContain(status);
      if (status !== 200)
        expect((JSON.parse(text) as { message: string }).message.length, which).toBeGreaterThan(20);
    });
  }
  console.log(`statuses of ${bodies} malformed bodies: ${JSON.stringify([...counts])}`);
  expect(served.requests.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(counts.get(400)).toBeGreaterThan(bodies / 2);
});

/** Rounded to 1e-5: what else is in a batch may change the last bits. */
const numbersIn = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1e5) / 1e5 : value,
  );
