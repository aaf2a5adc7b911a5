import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { positionOf } from '../../src/diagnostic/position.ts';
import { loadSpec, type LoadOptions } from '../../src/language/load-spec.ts';
import { locate, toJson } from '../../src/language/located.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};

const load = async (path: string, options: LoadOptions = {}) => {
  const loaded = await loadSpec(path, options);
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  return loaded.value;
};

const jsonOf = async (path: string, options: LoadOptions = {}) => toJson((await load(path, options)).root);

describe('YAML', () => {
  it('reads numbers as YAML 1.2 does, and yes and no as texts', async () => {
    const path = write(
      'numbers.yaml',
      'a: 1e-3\nb: 1E5\nc: .5\nd: 0x10\ne: yes\nf: 1_000\ng: 2024-01-01\nh: "1"\n',
    );
    expect(await jsonOf(path)).toEqual({
      a: 0.001,
      b: 100000,
      c: 0.5,
      d: 16,
      e: 'yes',
      f: '1_000',
      g: '2024-01-01',
      h: '1',
    });
  });

  it('knows where each key and value stands', async () => {
    const text = '# first\r\nmodel:\r\n  name: lstm\r\n  sizes: [1, 22]\r\n';
    const { root } = await load(write('places.yaml', text));
    const shown = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
    expect(shown(locate(root, ['model', 'name']).key)).toBe('name');
    expect(shown(locate(root, ['model', 'name']).value)).toBe('lstm');
    expect(shown(locate(root, ['model', 'sizes', 1]).value)).toBe('22');
    expect(positionOf(text, locate(root, ['model', 'sizes', 1]).value.start)).toMatchObject({
      line: 4,
      column: 14,
    });
    expect(locate(root, ['model', 'other'])).toMatchObject({ exact: false });
  });

  it('repeats what an alias names', async () => {
    expect(await jsonOf(write('alias.yaml', 'a: &x [1, 2]\nb: *x\nc: { d: *x }\n'))).toEqual({
      a: [1, 2],
      b: [1, 2],
      c: { d: [1, 2] },
    });
  });

  it('survives many aliases and many keys without quadratic work', async () => {
    const keys = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join('\n');
    expect(Object.keys((await jsonOf(write('wide.yaml', keys))) as object)).toHaveLength(40_000);
  });
});

describe('extends', () => {
  const base = write(
    'configs/base.yaml',
    'model: { name: lstm, hiddenSize: 64, sizes: [1, 2, 3] }\ntrain: { batchSize: 32, epochs: 2 }\nsweep: { axes: { a: { log: [1, 2], steps: 2 }, b: [1] } }\n',
  );

  it('merges mappings, replaces lists and axes, deletes with null', async () => {
    const path = write(
      'child.yaml',
      'extends: configs/base.yaml\nmodel: { sizes: [9], hiddenSize: null, layers: 2 }\nsweep: { axes: { a: { linear: [1, 2], steps: 2 }, c: [2] } }\n',
    );
    expect(await jsonOf(path)).toEqual({
      extends: 'configs/base.yaml',
      model: { name: 'lstm', sizes: [9], layers: 2 },
      train: { batchSize: 32, epochs: 2 },
      sweep: { axes: { a: { linear: [1, 2], steps: 2 }, b: [1], c: [2] } },
    });
  });

  it('lets one way to end a training take the place of another', async () => {
    const path = write('ends.yaml', 'extends: configs/base.yaml\ntrain: { steps: 10 }\n');
    expect(await jsonOf(path)).toMatchObject({ train: { batchSize: 32, steps: 10 } });
    expect((await jsonOf(path)) as object).not.toHaveProperty('train.epochs');
  });

  it('goes through several files and remembers who wrote what', async () => {
    write('configs/middle.yaml', 'extends: base.yaml\nmodel: { hiddenSize: 128 }\n');
    const document = await load(write('leaf.yaml', 'extends: configs/middle.yaml\nname: leaf\n'));
    expect(locate(document.root, ['model', 'hiddenSize']).value.source.name).toBe(
      join(folder, 'configs/middle.yaml'),
    );
    expect(locate(document.root, ['model', 'name']).value.source.name).toBe(base);
    expect([...document.extendedAt.keys()].map(({ name }) => name)).toEqual([
      base,
      join(folder, 'configs/middle.yaml'),
    ]);
  });
});

describe('a chain of specs', () => {
  /** The first of some specs that extend one another. */
  const chainOf = (name: string, count: number, text: string): string => {
    for (let at = count - 1; at >= 0; at--) {
      const next = at === count - 1 ? '' : `extends: ${name}${at + 1}.yaml\n`;
      write(`${name}${at}.yaml`, `${next}${text}`);
    }
    return join(folder, `${name}0.yaml`);
  };
  const diagnosed = async (path: string) => {
    const loaded = await loadSpec(path);
    return loaded.ok ? [] : loaded.errors.map(({ code, message }) => `${code}: ${message}`);
  };

  it('may have 64 files, of which none extends a further one', async () => {
    expect(await diagnosed(chainOf('short', 64, 'name: x\n'))).toEqual([]);
    expect(await diagnosed(chainOf('long', 65, 'name: x\n'))).toEqual([
      'not-allowed: Too many specs extend one another.',
    ]);
  });

  it('may be as large as one spec', async () => {
    expect(await diagnosed(chainOf('wide', 20, `# ${'x'.repeat(60_000)}\nname: x\n`))).toEqual([
      'file-too-large: The spec is too large, together with those that it extends.',
    ]);
    expect(await diagnosed(chainOf('rich', 20, `name: x\nseeds: [${'1,'.repeat(5000)}1]\n`))).toEqual([
      'file-too-large: The spec has too many values.',
    ]);
  });
});

describe('variables of the environment', () => {
  const path = write(
    'tracking.yaml',
    'tracking: { mlflow: { uri: ${SERVER}/path, experiment: "${NAME:-none}" } }\n',
  );
  it('are replaced in flow style too, and have defaults', async () => {
    const allowVariables = ['SERVER', 'NAME'];
    expect(await jsonOf(path, { environment: { SERVER: 'http://x' }, allowVariables })).toEqual({
      tracking: { mlflow: { uri: 'http://x/path', experiment: 'none' } },
    });
    expect(
      await jsonOf(path, { environment: { SERVER: 'http://x', NAME: 'mine' }, allowVariables }),
    ).toMatchObject({
      tracking: { mlflow: { experiment: 'mine' } },
    });
  });

  it('are read only where every spec may, or the user allows it', async () => {
    const environment = { SERVER: 'http://x', NAME: 'mine', XDG_CONFIG_HOME: dirname(path) };
    await expect(load(path, { environment, allowVariables: ['SERVER'] })).rejects.toThrow(
      'The spec reads the variable NAME, which you have not allowed.',
    );
    mkdirSync(join(dirname(path), 'unroll'), { recursive: true });
    writeFileSync(join(dirname(path), 'unroll', 'config.yaml'), 'variables: [SERVER, NAME] # mine\n');
    expect(await jsonOf(path, { environment })).toMatchObject({
      tracking: { mlflow: { uri: 'http://x/path' } },
    });
  });
});

describe('variables after --set', () => {
  const path = write('set-tracking.yaml', 'tracking: { mlflow: { uri: "${OWN}" } }\n');
  const environment = { OWN: 'http://own', OTHER: 'http://other' };

  it('are replaced as in a file, also in place of one in the file', async () => {
    const set = ['tracking.mlflow.uri=${OTHER}', 'tracking.mlflow.experiment=${NONE:-mine}'];
    const allowVariables = ['OTHER', 'NONE'];
    expect(await jsonOf(path, { set, environment, allowVariables })).toEqual({
      tracking: { mlflow: { uri: 'http://other', experiment: 'mine' } },
    });
  });

  it.each([
    ['tracking.mlflow.uri=${OTHER}', 'The spec reads the variable OTHER, which you have not allowed.'],
    ['name=${OTHER}', 'Environment variables are allowed only under tracking.'],
  ])('are refused as in a file: %s', async (set, message) => {
    await expect(load(path, { set: [set], environment, allowVariables: ['OWN'] })).rejects.toThrow(message);
  });
});

describe('--set and --sweep', () => {
  const path = write(
    'set.yaml',
    'model: { name: lstm }\ntrain: { epochs: 2 }\nsweep: { axes: { model.layers: [1, 2] } }\n',
  );
  it('set values, sections and null', async () => {
    const set = [
      'model.hiddenSize=64',
      'optimizer={ name: sgd, learningRate: 1e-2 }',
      'train.steps=5',
      'model.name=null',
      'name=a=b',
    ];
    expect(await jsonOf(path, { set })).toEqual({
      name: 'a=b',
      model: { hiddenSize: 64 },
      optimizer: { name: 'sgd', learningRate: 0.01 },
      train: { steps: 5 },
      sweep: { axes: { 'model.layers': [1, 2] } },
    });
  });

  it('sweep lists, expressions and blocks, in place of an axis of the file or after it', async () => {
    const sweep = [
      'model.layers=3,4',
      'optimizer.learningRate={ log: [1e-4, 1e-2], steps: 3 }',
      'model.hiddenSize=64',
      'optimizer={ name: sgd },{ name: adam }',
    ];
    const json = (await jsonOf(path, { sweep })) as { sweep: { axes: object } };
    expect(Object.entries(json.sweep.axes)).toEqual([
      ['model.layers', [3, 4]],
      ['optimizer.learningRate', { log: [0.0001, 0.01], steps: 3 }],
      ['model.hiddenSize', [64]],
      ['optimizer', [{ name: 'sgd' }, { name: 'adam' }]],
    ]);
  });

  it('are places of their own: the argument is the text', async () => {
    const { root } = await load(path, { set: ['model.hiddenSize=64'] });
    const { key, value } = locate(root, ['model', 'hiddenSize']);
    expect(value.source).toEqual({ name: 'command line', text: '--set model.hiddenSize=64' });
    expect(value.source.text.slice(value.start, value.end)).toBe('64');
    expect(key.source.text.slice(key.start, key.end)).toBe('hiddenSize');
  });
});
