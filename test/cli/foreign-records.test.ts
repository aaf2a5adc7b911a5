import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import type { Json } from '../../src/system/json.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = async (...words: string[]) => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const code = await runProgram(words, openTerminal(words, { print: keep, complain: keep }));
  return { code, said: lines.join('\n') };
};

/** Values of other types than a field has, and some that a newer version might write. */
const others: readonly Json[] = [null, 7, -1.5, 'unheard-of', true, [], [null], {}, { later: null }];

/** Every field of a value, down to `depth`, missing or with another value. */
const mutations = function* (value: Json, depth = 3): Generator<Json> {
  yield* others;
  if (typeof value !== 'object' || value === null || depth === 0) return;
  const entries = Object.entries(value);
  const join = (changed: readonly (readonly [string, Json])[]): Json =>
    Array.isArray(value) ? changed.map(([, inner]) => inner) : Object.fromEntries(changed);
  for (const [at, [key, inner]] of entries.entries()) {
    yield join(entries.filter((_, index) => index !== at));
    for (const other of mutations(inner, depth - 1))
      yield join(entries.map((entry, index) => (index === at ? [key, other] : entry)));
  }
  if (!Array.isArray(value)) yield { ...Object.fromEntries(entries), addedLater: { by: 'a newer version' } };
};

const plan = makePlan({ axes: { 'model.hiddenSize': [8, 16] }, seeds: [1, 2], steps: 20 });
const [first = '', second = ''] = plan.runs.map(({ id }) => id);

const spec = `version: 1
name: ${plan.experiment}
dataset: { name: toy-sequences }
model: { name: gru }
optimizer: { name: adam }
train: { batchSize: 8, steps: 2 }
`;

/** How many of the mutations of each file are tried; UNROLL_MUTATIONS=1000 tries all. */
const tried = Number(process.env['UNROLL_MUTATIONS'] ?? 25);

test.each(['run.json', 'status.json', 'environment.json', 'evaluation.json', 'plan'])(
  'a wrong or newer %s is reported, and stops nothing else',
  { timeout: 240_000 },
  async (file) => {
    const folder = temporaryDirectory();
    const runs = join(folder, 'runs');
    writeSweep(runs, plan, (_run, index) => (index === 3 ? { state: 'diverged' } : {}));
    const specPath = join(folder, 'spec.yaml');
    writeFileSync(specPath, spec);
    const path =
      file === 'plan'
        ? join(runs, plan.experiment, 'sweeps', `${plan.sweepId}.json`)
        : join(runs, plan.experiment, first, file);
    const every = [...mutations(JSON.parse(readFileSync(path, 'utf8')) as Json)];
    const stride = Math.max(1, Math.floor(every.length / tried));
    for (const mutation of every.filter((_, index) => index % stride === 0)) {
      const text = JSON.stringify(mutation);
      writeFileSync(path, text);
      for (const words of [
        ['ls'],
        ['show', first],
        ['show', second],
        ['diff', second, first],
        ['compare', plan.experiment],
        ['compare', '--csv'],
        ['report', '--output', join(folder, 'report.html')],
        ['plan', specPath],
        ['rm', first],
        ['prune', 'failed', 'stale', 'checkpoints'],
        ['check'],
      ]) {
        const { code, said } = await run(...words, '--runs-directory', runs).catch((error: unknown) =>
          expect.fail(`${words.join(' ')} with ${path} = ${text}\n${String(error)}`),
        );
        const isReported = /\[[a-z-]+\]/.test(said);
        expect(code === 0 || isReported, `${words.join(' ')} with ${text}: ${said}`).toBe(true);
        if (words[0] === 'ls') expect(said, text).toContain(second.slice(0, 8));
      }
    }
  },
);
