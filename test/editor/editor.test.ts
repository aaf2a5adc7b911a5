import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { models } from '../../src/registry/rows.ts';
import { type Completion, startLanguageServer } from './language-server.ts';

const folder = resolve('experiments');
const head = '# yaml-language-server: $schema=../schema/experiment.schema.json\nversion: 1\n';

let editor: Awaited<ReturnType<typeof startLanguageServer>>;
beforeAll(async () => void (editor = await startLanguageServer(process.cwd())));
afterAll(() => editor.stop());

const offered = (marked: string) => editor.complete(folder, head + marked);
const labels = (completions: readonly Completion[]) => completions.map(({ label }) => label).sort();
const parametersOf = (name: keyof typeof models) => Object.keys(models[name].parameters.properties).sort();

describe('an editor with the real yaml-language-server and the published schema', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('accepts %s', async (name) => {
    expect(await editor.check(join(folder, name))).toEqual([]);
  });

  it('offers every section that is not written yet, each once', async () => {
    expect(labels(await offered('name: x\n|'))).toEqual(
      [
        'extends',
        'dataset',
        'model',
        'optimizer',
        'loss',
        'train',
        'objective',
        'sweep',
        'seeds',
        'run',
        'tracking',
        'expect',
      ].sort(),
    );
  });

  it('offers the names of the registry, each with what it is', async () => {
    const names = await offered('model:\n  name: |\n');
    expect(labels(names)).toEqual(Object.keys(models).sort());
    for (const { label, documentation } of names)
      expect(documentation).toBe(models[label as keyof typeof models].description);
  });

  it.each(['lstm', 'gru'] as const)('offers the parameters of %s, the chosen model, only', async (name) => {
    expect(labels(await offered(`model:\n  name: ${name}\n  |`))).toEqual(parametersOf(name));
    expect(labels(await offered(`model: { name: ${name}, h| }\n`))).toEqual(parametersOf(name));
  });

  it('offers every parameter as an axis, with what its values may be', async () => {
    const axes = await offered('sweep:\n  axes:\n    |');
    for (const key of parametersOf('lstm')) expect(labels(axes)).toContain(`model.${key}`);
    for (const path of ['optimizer.schedule.warmupSteps', 'train.batchSize', 'dataset.name', 'optimizer'])
      expect(labels(axes)).toContain(path);
    const sizes = axes.find(({ label }) => label === 'model.hiddenSize')?.documentation;
    expect(sizes).toContain('Values of model.hiddenSize to try, each a whole number from 1 to 16384.');
  });

  it('offers the values of an axis, and the forms of a range', async () => {
    expect(labels(await offered('sweep:\n  axes:\n    model.merge: [|]\n'))).toEqual([
      'concat',
      'mean',
      'sum',
    ]);
    const forms = labels(await offered('sweep:\n  axes:\n    optimizer.learningRate:\n      |'));
    expect(forms).toContain('{ log: [1e-4, 0.01], steps: 3 }');
  });

  it('tells of a key under the mouse what it is, its default and examples', async () => {
    const text = await editor.hover(folder, `${head}model: { name: lstm, hidden|Size: 3 }\n`);
    expect(text).toContain('#### Hidden size');
    expect(text).toContain('Units of the hidden state, in each direction of each layer. Default: 128.');
    expect(text).toContain('256');
    const axis = await editor.hover(folder, `${head}sweep:\n  axes:\n    optimizer.learn|ingRate: [1]\n`);
    expect(axis).toContain('each a number above 0 and up to 1000');
  });

  const valid = readFileSync(join(folder, 'quickstart.yaml'), 'utf8');
  it.each([
    ['a misspelt parameter', 'hiddenSize: 128', 'hidenSize: 128', 'Property hidenSize is not allowed.'],
    ['an unknown model', 'name: lstm', 'name: ltsm', 'Value is not accepted. Valid values: "lstm", "gru"'],
    [
      "another model's parameter",
      'name: lstm',
      'name: gru, forgetBias: 1',
      'Property forgetBias is not allowed.',
    ],
    ['a wrong value of an axis', '[64, 128]', '[64, "128"]', 'Incorrect type. Expected "integer".'],
    ['an unknown axis', 'model.hiddenSize:', 'model.hidenSize:', 'Property model.hidenSize is not allowed.'],
    ['an incomplete range', '[0.001, 0.004]', '{ log: [1e-4, 1e-2] }', 'Missing property "steps".'],
    [
      'a section without a name',
      '{ name: lstm, hiddenSize: 128 }',
      '{ hiddenSize: 128 }',
      'Missing property "name".',
    ],
  ])('says one thing of %s, at its place', async (_, from, to, message) => {
    const wrong = valid.replace(from, to);
    expect(wrong).not.toBe(valid);
    const mistakes = await editor.checkText(folder, wrong);
    expect(mistakes.map((one) => one.message)).toEqual([expect.stringContaining(message)]);
    const line = wrong.slice(0, wrong.indexOf(to)).split('\n').length - 1;
    expect(mistakes[0]?.range.start.line).toBe(line);
  });
});
