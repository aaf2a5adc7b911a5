import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import type { Answer } from '../support/validate-files.ts';

const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('');

const rest =
  'version: 1\nname: x\noptimizer: { name: adam }\nmodel: { name: lstm }\ntrain: { steps: 10 }\nseeds: [1]\n';
const base = `${rest}dataset: { name: toy-sequences }\n`;

/** Specs of up to 1 MB, and what must be in the output. */
const specs: Readonly<Record<string, readonly [text: string, ...expected: RegExp[]]>> = {
  'unknown keys': [
    base + lines(80_000, (at) => `z${at}: 1\n`),
    /and 79,980 more of this kind: error \[unknown-key\]/,
  ],
  'unknown keys of a section': [
    `${rest}dataset:\n  name: toy-sequences\n${lines(50_000, (at) => `  hidden${at}: 1\n`)}`,
    /and 49,980 more of this kind/,
  ],
  'unknown axes': [
    `${base}sweep:\n  axes:\n${lines(40_000, (at) => `    model.b${at}: [1]\n`)}`,
    /and 39,980 more/,
  ],
  commas: [`${base}list: [${','.repeat(600_000)}]\n`, /file-too-large/],
  brackets: [`${base}list: ${'['.repeat(800_000)}`, /nested too deep/],
  'brackets that close nothing': [`${base}${']'.repeat(900_000)}\n`, /file-too-large/],
  'duplicate keys': [
    `version: 1\n${'a: 1\n'.repeat(150_000)}`,
    /and 149,979 more of this kind: error \[yaml-duplicate-key\]/,
  ],
  'duplicate keys with CRLF': [`version: 1\r\n${'a: 1\r\n'.repeat(90_000)}`, /and 89,979 more/],
  'many dashes': [`${base}list:\n  ${'- '.repeat(300_000)}1\n`, /nested too deep|file-too-large/],
  'a long name': [base.replace('lstm', 'l'.repeat(900_000)), /unknown-name/],
  'a long key': [`${base}? ${'k'.repeat(900_000)}\n: 1\n`, /unknown-key/],
  'values of an axis': [
    `${base}sweep: { axes: { model.hiddenSize: [${lines(60_000, (at) => `a${at},`)}] } }\n`,
    /and 59,980 more/,
  ],
  seeds: [base.replace('seeds: [1]', `seeds: [${lines(60_000, (at) => `${at},`)}]`), /too-many-runs/],
  infinities: [`${base}list: [${'.inf,'.repeat(60_000)}]\n`, /unknown-key/],
  'numbers as keys': [base + '1: 1\n'.repeat(150_000), /and 149,980 more of this kind: error \[wrong-type\]/],
  'errors of syntax': [base + '|\n'.repeat(400_000), /yaml-syntax|file-too-large/],
  'rules that multiply': [
    `${base}sweep:\n  axes: { model.hiddenSize: [1] }\n  when:\n${'  - if: { model.hiddenSize: 1 }\n    axes: { train.batchSize: [1, 2] }\n'.repeat(1500)}`,
    /too-many-runs/,
  ],
  'rules for many points': [
    `${base}sweep:\n  axes: { model.hiddenSize: { range: [1, 9000] } }\n  exclude:\n${'  - { model.hiddenSize: 9001 }\n'.repeat(1500)}`,
    /to compare with 1,500 rules/,
  ],
  'points that are drawn': [
    `${base}sweep: { method: random, samples: 1000000, axes: { model.hiddenSize: { integer: [1, 9000] } } }\n`,
    /out-of-range/,
  ],
  'variables that never end': [
    `${base}tracking: { mlflow: { uri: "${'${A:-b'.repeat(120_000)}" } }\n`,
    /error/,
  ],
};

const csv = `${rest}dataset: { name: csv-sequences, file: data.csv, sequence: c0, targets: [zz] }\n`;
const ucr = `${rest}dataset: { name: ucr, file: data.ts }\n`;
const jsonl = `${rest}dataset: { name: jsonl-sequences, layout: wide, file: data.jsonl, targets: [t] }\n`;

/** Data of up to 1 MB with the spec that names it. */
const data: Readonly<
  Record<string, readonly [spec: string, file: string, text: string | Buffer, expected: RegExp]>
> = {
  'a header of many columns': [csv, 'data.csv', `${lines(100_000, (at) => `c${at},`)}x\n`, /no column "zz"/],
  'a header of one name': [csv, 'data.csv', `${'c,'.repeat(300_000)}c\n`, /twice in its first row/],
  'a header of one long name': [csv, 'data.csv', 'c'.repeat(1_000_000), /no column/],
  'rows that cannot be used': [
    csv.replace('zz', 'b'),
    'data.csv',
    `c0,a,b\n${'1,x,y\n'.repeat(150_000)}`,
    /150000 rows that cannot be used/,
  ],
  'lists in lists': [jsonl, 'data.jsonl', `${'['.repeat(100_000)}${']'.repeat(100_000)}\n`, /bad-data/],
  'mappings in mappings': [
    jsonl,
    'data.jsonl',
    `${'{"t":'.repeat(100_000)}1${'}'.repeat(100_000)}\n`,
    /bad-data/,
  ],
  'one wide object': [
    jsonl,
    'data.jsonl',
    `{${lines(60_000, (at) => `"k${at}":[1],`)}"u":1}\n`,
    /no column "t"/,
  ],
  'a text that is lists in lists': [
    `${rest}dataset: { name: jsonl-text, file: data.jsonl }\n`,
    'data.jsonl',
    `{"text":${'['.repeat(400_000)}${']'.repeat(400_000)},"label":"x"}\n`,
    /has no tokens/,
  ],
  'many dimensions': [ucr, 'data.ts', `@data\n${':'.repeat(900_000)}\n`, /all values are missing/],
  'long and short dimensions': [
    ucr,
    'data.ts',
    `@data\n${'1,'.repeat(250_000)}${'1:'.repeat(200_000)}a\n`,
    /200000 dimensions of up to 250001 steps/,
  ],
  'a line that fills the memory': [
    csv,
    'data.csv',
    gzipSync(Buffer.alloc(64 << 20, 'a')),
    /becomes more than 16000000 bytes when it is decompressed/,
  ],
  'lines that are no JSON': [jsonl, 'data.jsonl', 'x\n'.repeat(300_000), /300000 rows/],
};

const manyUnknown = base + lines(5000, (at) => `z${at}: 1\n`);

const folder = mkdtempSync(join(tmpdir(), 'unroll-large-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let answers: Readonly<Record<string, Answer>>;

/** The words after `unroll validate`, for the files of an input in a folder of their own. */
const written = (
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  ...options: readonly string[]
) => {
  const directory = join(folder, name.replaceAll(' ', '-'));
  mkdirSync(directory);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  return [join(directory, 'spec.yaml'), ...options];
};

// All in one process, which starts once, and whose memory is limited.
beforeAll(async () => {
  const inputs = {
    ...Object.fromEntries(
      Object.entries(specs).map(([name, [text]]) => [name, written(name, { 'spec.yaml': text })]),
    ),
    ...Object.fromEntries(
      Object.entries(data).map(([name, [spec, file, text]]) => [
        name,
        written(name, { 'spec.yaml': spec, [file]: text }),
      ]),
    ),
    json: written('json', { 'spec.yaml': manyUnknown }, '--json'),
  };
  writeFileSync(join(folder, 'inputs.json'), JSON.stringify(inputs));
  const program = join(packageRoot, 'test', 'support', 'validate-files.ts');
  const printed = await runTypeScript(program, {
    INPUTS: join(folder, 'inputs.json'),
    NODE_OPTIONS: '--max-old-space-size=400',
    UNROLL_CACHE: join(folder, 'cache'),
  });
  answers = JSON.parse(printed) as typeof answers;
});

const checkAnswer = (name: string, expected: readonly RegExp[]) => {
  const { code, output } = answers[name] ?? { code: NaN, output: '' };
  expect(code, output.slice(0, 1000)).toBe(2);
  expect(output.length).toBeLessThan(40_000);
  expect(output).not.toMatch(/a bug in Unroll|RangeError/);
  for (const one of expected) expect(output).toMatch(one);
};

test.each(Object.entries(specs))('%s end in a short answer', (name, [text, ...expected]) => {
  expect(text.length).toBeLessThanOrEqual(1024 * 1024);
  checkAnswer(name, expected);
});

test.each(Object.entries(data))('data: %s end in a short answer', (name, [, , , expected]) =>
  checkAnswer(name, [expected]),
);

test('JSON has at most 1,000 of a code, and the number of the others', () => {
  const { code, output } = answers['json'] ?? { code: NaN, output: '' };
  expect(code).toBe(2);
  const { diagnostics, omitted } = JSON.parse(output) as { diagnostics: unknown[]; omitted: unknown };
  expect(diagnostics).toHaveLength(1000);
  expect(omitted).toEqual([{ code: 'unknown-key', severity: 'error', count: 4000 }]);
});
