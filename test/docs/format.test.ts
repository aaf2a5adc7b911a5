import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { fileNames } from '../../src/record/run-files.ts';
import { createRig } from '../support/rig.ts';
import { wordTokenizer } from '../support/word-tokenizer.ts';

interface Field {
  readonly path: string;
  readonly optional: boolean;
}

const page = readFileSync('docs/format.md', 'utf8');

/** The rows of the first table below a heading, as cells. */
const tableOf = (heading: string): readonly (readonly string[])[] => {
  const at = page.indexOf(`\n## ${heading}\n`);
  expect(at, `docs/format.md has no section ${heading}`).toBeGreaterThan(-1);
  const section = page.slice(at + 1).split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
};

const fieldsOf = (heading: string): readonly Field[] =>
  tableOf(heading).map(([name = '', ...rest]) => ({
    path: name.replaceAll('`', ''),
    optional: /^optional\b/.test(rest.at(-1) ?? ''),
  }));

/** Files by the heading that documents their fields. */
const documented: readonly { readonly heading: string; readonly matches: RegExp }[] = [
  { heading: '`run.json`', matches: /^run\.json$/ },
  { heading: '`status.json`', matches: /^status\.json$/ },
  { heading: '`environment.json`', matches: /^environment\.json$/ },
  { heading: '`data.json`', matches: /^data\.json$/ },
  { heading: '`metrics.jsonl`', matches: /^(metrics|system)\.jsonl$/ },
  { heading: '`evaluation.json`', matches: /^evaluation\.json$/ },
  { heading: '`model/model.json`', matches: /^model\/model\.json$/ },
  { heading: '`model/vocabulary.json`', matches: /^model\/vocabulary\.json$/ },
  { heading: '`profile.json`', matches: /^profile\.json$/ },
  { heading: '`sweeps/<sweep id>.json`', matches: /^sweeps\/[0-9a-f]{12}\.json$/ },
  { heading: '`sweeps/<sweep id>.decisions.jsonl`', matches: /^sweeps\/[0-9a-f]{12}\.decisions\.jsonl$/ },
];

/** The names of the first table, as patterns of paths below a run's directory or an experiment's. */
const documentedFiles = (): readonly RegExp[] =>
  tableOf('Who writes when, and what a crash leaves')
    .flatMap(([names = '']) => names.split(', '))
    .map((name) => name.replaceAll('`', ''))
    .map((name) =>
      name
        .replace(/[.]/g, '\\.')
        .replace('<metric>', '[\\w.-]+')
        .replace('<sweep id>', '[0-9a-f]{12}')
        .replace('<server>', '[\\w.-]+')
        .replace('000500', '\\d{6,}'),
    )
    .map((pattern) => new RegExp(`^${pattern}$`));

const leaves = (value: unknown, path: string, found: Set<string>): void => {
  if (Array.isArray(value)) {
    if (value.length === 0) found.add(`${path}[]`);
    for (const one of value) leaves(one, `${path}[]`, found);
  } else if (typeof value === 'object' && value !== null) {
    if (Object.keys(value).length === 0) found.add(path);
    for (const [key, one] of Object.entries(value)) leaves(one, path ? `${path}.${key}` : key, found);
  } else found.add(path);
};

const covers = ({ path }: Field, leaf: string): boolean =>
  path.endsWith('.*')
    ? leaf.startsWith(path.slice(0, -1)) || leaf === path.slice(0, -2)
    : leaf === path ||
      (path.endsWith('[]') && leaf.startsWith(path) && !leaf.slice(path.length).startsWith('.'));

const metadataOf = (path: string): readonly string[] => {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Record<string, string>>;
  return Object.keys(header['__metadata__'] ?? {});
};

test('docs/format.md names every file and field of real runs, and nothing else', async () => {
  const rig = createRig();
  cpSync('test/fixtures/recorded-by-0.1.0', rig.directory, { recursive: true });
  const train =
    'batchSize: 16, steps: 40, displayEvery: 10, evaluateEvery: 10, checkpointEvery: 10, predictions: 5';
  const toy = '{ name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }';
  const spec = (name: string, more: string, keep: string, dataset = toy) => `
version: 1
name: ${name}
dataset: ${dataset}
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: 0.01 }
train: { ${train}, keepCheckpoints: ${keep} }
objective: { metric: val/loss, goal: minimize }
run: { concurrency: 1, threadsPerRun: 1 }
${more}`;
  const search =
    'sweep: { method: tpe, samples: 12, axes: { optimizer.learningRate: { logUniform: [1e-4, 1e-1] } }, ' +
    'pruning: { name: asha, minSteps: 10, reductionFactor: 2 } }';
  rig.write('all.yaml', spec('all', 'expect: [{ metric: val/loss, lte: 100 }]', 'all'));
  rig.write('tpe.yaml', spec('tpe', search, 'best'));
  const texts = Array.from({ length: 20 }, (_, at) => `film ${at} ${at % 2 ? 'good,pos' : 'bad,neg'}`);
  rig.write('texts.csv', ['text,label', ...texts].join('\n'));
  rig.write('words.json', wordTokenizer(['film', 'good', 'bad']));
  rig.write(
    'text.yaml',
    spec('text', '', 'last', '{ name: csv-text, file: texts.csv, tokenizer: words.json }'),
  );
  for (const name of ['all.yaml', 'tpe.yaml', 'text.yaml'])
    expect(await rig.unroll('run', name, '--profile', '--no-mlflow')).toMatchObject({ code: 0, stderr: '' });

  const runs = join(rig.directory, 'runs');
  const patterns = documentedFiles();
  const seenFiles = new Set<RegExp>();
  const seenFields = new Map<string, Set<string>>();
  const seenMetadata = new Map<string, Set<string>>();
  for (const name of readdirSync(runs, { recursive: true, encoding: 'utf8' })) {
    const path = join(runs, name);
    if (!statSync(path).isFile()) continue;
    const [, folder = '', ...rest] = name.split('/');
    if (folder === '.index' || folder.startsWith('.holder-')) continue;
    const below = folder === 'sweeps' ? join(folder, ...rest) : rest.join('/');
    const pattern = patterns.find((one) => one.test(below));
    expect(pattern, `${relative(runs, path)} is no file of docs/format.md`).toBeDefined();
    if (pattern) seenFiles.add(pattern);
    const entry = documented.find(({ matches }) => matches.test(below));
    if (entry) {
      const text = readFileSync(path, 'utf8');
      const values = path.endsWith('.jsonl') ? text.split('\n').filter(Boolean) : [text];
      const found = seenFields.get(entry.heading) ?? new Set<string>();
      for (const one of values) leaves(JSON.parse(one), '', found);
      seenFields.set(entry.heading, found);
    } else if (path.endsWith('.safetensors')) {
      const kind = basename(dirname(path)) === 'model' ? 'weights' : 'checkpoint';
      const found = seenMetadata.get(kind) ?? new Set<string>();
      for (const key of metadataOf(path)) found.add(key);
      seenMetadata.set(kind, found);
    }
  }

  for (const { heading } of documented) {
    const fields = fieldsOf(heading);
    const found = [...(seenFields.get(heading) ?? [])];
    const unnamed = found.filter((leaf) => !fields.some((field) => covers(field, leaf)));
    expect(unnamed, `fields that ${heading} of docs/format.md does not name`).toEqual([]);
    const unseen = fields.filter((field) => !field.optional && !found.some((leaf) => covers(field, leaf)));
    expect(unseen, `fields of ${heading} in docs/format.md that no run has`).toEqual([]);
  }
  const metadata = tableOf('Tensors').map(([kind = '', key = '']) => [kind, key.replaceAll('`', '')]);
  const found = [...seenMetadata].flatMap(([kind, keys]) => [...keys].map((key) => [kind, key]));
  expect(found.sort()).toEqual(metadata.sort());

  // Recorded only while a run trains, or while MLflow or a store is used.
  const passing = ['lock', 'writer', 'system.jsonl', 'mlflow/x.json', 'taken.json'];
  const unseen = patterns.filter((one) => !seenFiles.has(one) && !passing.some((name) => one.test(name)));
  expect(unseen, 'files of docs/format.md that no run has').toEqual([]);
  for (const name of Object.values(fileNames)) expect(page, `docs/format.md names ${name}`).toContain(name);
});
