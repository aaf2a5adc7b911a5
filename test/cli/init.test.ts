import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { datasets, models, optimizers } from '../../src/registry/rows.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { noTerminal, openRealTerminal } from '../support/tmux.ts';

const run = async (...words: string[]) => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const code = await runProgram(words, openTerminal(words, { print: keep, complain: keep }));
  return { code, said: lines.join('\n') };
};

const rows = [
  ...Object.keys(models).map((name) => ['--model', name] as const),
  ...Object.keys(optimizers).map((name) => ['--optimizer', name] as const),
  ...Object.keys(datasets).map((name) => ['--dataset', name] as const),
];

it.each(rows)('writes a valid spec with %s %s', async (option, name) => {
  const folder = temporaryDirectory('init');
  const file = join(folder, 'first.yaml');
  writeFileSync(join(folder, 'data.csv'), 'id,x,label\n1,0,a\n2,1,b\n3,0,a\n4,1,b\n5,0,a\n6,1,b\n');
  writeFileSync(
    join(folder, 'data.jsonl'),
    [1, 2, 3, 4, 5, 6].map((id) => `{"id":${id},"x":[${id}],"label":"${'ab'[id % 2] ?? ''}"}\n`).join(''),
  );
  writeFileSync(join(folder, 'text.txt'), 'To be, or not to be, that is the question. '.repeat(100));
  // Data of your own is named by whoever has it.
  const own: Readonly<Record<string, readonly string[]>> = {
    'csv-sequences': ['dataset.file=data.csv', 'dataset.sequence=id', 'dataset.targets=[label]'],
    'jsonl-sequences': [
      'dataset.file=data.jsonl',
      'dataset.layout=wide',
      'dataset.features=[x]',
      'dataset.targets=[label]',
    ],
    characters: ['dataset.file=text.txt'],
  };
  // The images of Fashion-MNIST are not there before they were fetched.
  const settings = (own[name] ?? []).flatMap((one) => ['--set', one]);
  const { code, said } = await run('init', file, option, name, '--defaults', ...settings);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`name: ${name}`);
  if (name !== 'fashion-mnist-rows') expect({ code, said }).toMatchObject({ code: 0 });
  const uncommented = text.replace(/^# (sweep:|seeds: .*| {2}.*)$/gm, '$1');
  const { sweep, seeds } = parse(uncommented) as { sweep: { axes: object }; seeds: number[] };
  expect(seeds).toEqual([1, 2, 3]);
  expect(Object.keys(sweep.axes)).toContain('model.hiddenSize');
});

const combinations = Object.keys(datasets).flatMap((dataset) =>
  Object.keys(models).map((model) => [dataset, model] as const),
);

it.each(combinations)('writes a valid spec in an empty folder: %s with %s', async (dataset, model) => {
  const folder = temporaryDirectory('init');
  const file = join(folder, 'first.yaml');
  const words = ['--dataset', dataset, '--model', model, '--defaults'];
  const written = await run('init', file, ...words);
  const validated = await run('validate', file);
  // The images of Fashion-MNIST are not there before they were fetched.
  if (dataset === 'fashion-mnist-rows' && validated.code !== 0) {
    expect(validated.said.match(/\[[a-z-]+\]/g)).toEqual(['[data-missing]']);
    return;
  }
  expect(written).toMatchObject({ code: 0 });
  expect(validated).toMatchObject({ code: 0 });
});

const dayAt = (at: number): string => new Date(Date.UTC(2024, 0, 2 + at)).toISOString().slice(0, 10);

it.each([
  [
    'csv-series',
    'sales.csv',
    'shop;day;price;sales\na;2024-01-01;1;5\nb;2024-01-01;1;6\n' +
      Array.from(
        { length: 60 },
        (_, at) => `${'ab'[at % 2]};${dayAt(at >> 1)};2;${at === 9 ? '' : at}\n`,
      ).join(''),
    { time: 'day', series: 'shop', targets: ['sales'], past: ['price'], missing: 'interpolate' },
  ],
  [
    'jsonl-series',
    'load.jsonl',
    Array.from({ length: 60 }, (_, hour) => `${JSON.stringify({ hour, mw: hour % 24 })}\n`).join(''),
    { time: 'hour', targets: ['mw'] },
  ],
])('guesses the columns of %s from its file', async (dataset, name, text, wanted) => {
  const folder = temporaryDirectory('init');
  writeFileSync(join(folder, name), text);
  const file = join(folder, 'first.yaml');
  const { code, said } = await run(
    'init',
    file,
    '--dataset',
    dataset,
    '--set',
    `dataset.file=${name}`,
    '--defaults',
  );
  expect({ code, said }).toMatchObject({ code: 0 });
  expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ dataset: { file: name, ...wanted } });
});

it('names the experiment after the file, as a string', async () => {
  const folder = temporaryDirectory('init');
  for (const [name, wanted] of [
    ['007', '007'],
    ['_draft no. 2', 'draft-no.-2'],
    ['über', 'ber'],
    ['---', 'experiment'],
  ] as const) {
    const file = join(folder, `${name}.yaml`);
    expect(await run('init', file, '--dataset', 'toy-sequences', '--defaults')).toMatchObject({ code: 0 });
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ name: wanted });
  }
});

it('never replaces data of your own by example data', async () => {
  const folder = temporaryDirectory('init');
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'book.txt'), 'mine, and long enough. '.repeat(200));
  const file = join(folder, 'first.yaml');
  const { said } = await run('init', file, '--dataset', 'characters', '--defaults');
  expect(said).not.toContain('example data');
  expect(readFileSync(join(folder, 'data', 'book.txt'), 'utf8')).toMatch(/^mine/);
});

it.each([
  ['steps', '--set needs a path and a value.'],
  ['train.steps=5', '--set train.steps is not a parameter of the dataset, model or optimizer.'],
  ['model.hiddenSize=[', 'The value of --set model.hiddenSize is not valid YAML.'],
])('refuses --set %s and writes nothing', async (set, message) => {
  const file = join(temporaryDirectory('init'), 'first.yaml');
  const { code, said } = await run('init', file, '--defaults', '--set', set);
  expect(code).toBe(2);
  expect(said).toContain(message);
  expect(existsSync(file)).toBe(false);
});

it.each([
  [['--name', 'my exp'], 'name cannot be "my exp"'],
  [['--name', ''], 'name '],
  [['--set', 'model.hiddenSize=-3'], 'hiddenSize is out of range'],
  [['--set', 'optimizer.learningRate=fast'], 'learningRate has the wrong type'],
  [['--set', 'dataset.minLength=30', '--set', 'dataset.maxLength=20'], 'minLength'],
])('writes nothing when the spec would be wrong: %j', async (words, message) => {
  const file = join(temporaryDirectory('init'), 'first.yaml');
  const { code, said } = await run('init', file, '--dataset', 'toy-sequences', '--defaults', ...words);
  expect(said).toContain(message);
  expect(code).toBe(2);
  expect(existsSync(file)).toBe(false);
});

it('shows a wrong name where it was given', async () => {
  const file = join(temporaryDirectory('init'), 'first.yaml');
  const { said } = await run('init', file, '--defaults', '--name', 'my exp');
  expect(said).toMatch(/command line:1:\d+ error/);
});

it('takes names, says the nearest of a wrong one, and writes nothing then', async () => {
  const file = join(temporaryDirectory('init'), 'first.yaml');
  const { code, said } = await run('init', file, '--model', 'ltsm');
  expect(code).toBe(2);
  expect(said).toContain('nearest:  lstm');
  expect(existsSync(file)).toBe(false);
});

it('never overwrites', async () => {
  const file = join(temporaryDirectory('init'), 'first.yaml');
  writeFileSync(file, 'mine');
  expect(await run('init', file, '--defaults')).toMatchObject({ code: 2 });
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

it.skipIf(noTerminal)('asks on a terminal, again after a wrong answer', async () => {
  const folder = temporaryDirectory('init');
  const program = join(packageRoot, 'bin', 'unroll.js');
  const terminal = openRealTerminal(
    `cd ${folder} && ${process.execPath} ${program} init; echo status $?; exec cat`,
    {
      name: 'init',
    },
  );
  const answer = async (question: string, text: string) => {
    await terminal.until((screen) => screen.trimEnd().split('\n').at(-1)?.includes(question) === true);
    terminal.press(text);
    terminal.key('Enter');
  };
  await answer('Name of the experiment (experiment):', 'digits');
  await answer('Which dataset?', 'toy-sequnces');
  await terminal.until((screen) => screen.includes('Did you mean toy-sequences?'));
  await answer('Which dataset?', 'toy-sequences');
  await answer('Which model?', 'gru');
  await answer('Which optimizer?', '');
  const end = await terminal.until((screen) => screen.includes('status'));
  expect(end).toContain('status 0');
  expect(parse(readFileSync(join(folder, 'experiment.yaml'), 'utf8'))).toMatchObject({
    name: 'digits',
    dataset: { name: 'toy-sequences' },
    model: { name: 'gru', hiddenSize: 128 },
    optimizer: { name: 'adam' },
  });
});
