import { cpSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createRig, type Rig } from '../../support/rig.ts';
import { smallSpec } from '../../support/small-sweep.ts';

/** A folder with the example of a model of one's own. */
const exampleRig = (): Rig => {
  const rig = createRig();
  cpSync('examples/own-model', rig.directory, { recursive: true });
  return rig;
};

const short = ['--set', 'train.steps=60', '--set', 'train.displayEvery=10', '--no-mlflow'];

it('the example trains on MNIST, twice to the same bits at any concurrency', async () => {
  const [one, other] = [exampleRig(), exampleRig()];
  for (const [rig, concurrency] of [
    [one, '2'],
    [other, '1'],
  ] as const) {
    const { code, stderr } = await rig.unroll('run', 'mnist.yaml', '--concurrency', concurrency, ...short);
    // So few steps miss the accuracy that the spec expects.
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  }
  const ids = one.runIds('temporal-convolution');
  expect(ids).toHaveLength(2);
  for (const id of ids) {
    expect(one.status('temporal-convolution', id).outcome?.metrics['test/accuracy']).toBeGreaterThan(0.7);
    expect(other.metrics('temporal-convolution', id)).toEqual(one.metrics('temporal-convolution', id));
  }
});

it('own rows stand in the lists, the schema and the checks of a spec', async () => {
  const rig = exampleRig();
  expect((await rig.unroll('models')).stdout).toContain('temporal-convolution  Temporal convolution network');
  expect((await rig.unroll('schema')).stdout).toContain('"model.kernelSize"');
  const misspelt = await rig.unroll('validate', 'mnist.yaml', '--set', 'model.name=temporal-convolutoin');
  expect(misspelt.stderr).toContain('nearest:  temporal-convolution');
  const axis = await rig.unroll('validate', 'mnist.yaml', '--sweep', 'model.blocks=4,40');
  expect(axis.stderr).toContain('expected: a whole number from 1 to 16');
  const together = await rig.unroll('validate', 'mnist.yaml', '--set', 'model.blocks=9');
  expect(together.stderr).toContain('The last block would look back 1023 steps');
  const wrong = await rig.unroll('validate', 'mnist.yaml', '--set', 'model.kernelsize=4');
  expect(wrong.stderr).toContain('nearest:  kernelSize');
});

const ownSpec = (steps: number, more = '') =>
  smallSpec({ steps, more }).replace('{ name: lstm, hiddenSize: 8 }', '{ name: mine }');

const mine = (body: string) => `
import { defineModel } from 'unroll-ml';
const row = (name: string, wrong: string) => defineModel({
  name,
  parameters: {},
  build: (_, { tf, weight, outputs }) => {
    const kernel = weight('kernel', [1, outputs], 'glorot-uniform');
    ${body}
  },
});
`;

const average = 'return { forward: ({ inputs }) => tf.matMul(tf.mean(inputs, 1), kernel) };';

const config = (body: string, names: readonly string[] = ['mine']) =>
  `import { defineConfig } from 'unroll-ml';${mine(body)}
export default defineConfig({ models: [${names.map((name) => `row('${name}', '${name}')`).join(', ')}] });\n`;

it('other code of a row makes other runs, and a frozen plan refuses it', async () => {
  const rig = createRig();
  rig.write('spec.yaml', ownSpec(20));
  rig.write('unroll.config.ts', config(average));
  expect(await rig.unroll('run', 'spec.yaml', '--no-mlflow')).toMatchObject({ code: 0, stderr: '' });
  const [first] = rig.runIds('trial');
  expect((await rig.unroll('plan', 'spec.yaml')).stdout).toContain('done');

  rig.write('unroll.config.ts', config(average.replace('tf.mean', 'tf.max')));
  const plan = await rig.unroll('plan', 'spec.yaml');
  expect(plan.stdout).toContain('The code of the model mine has changed');
  const resumed = await rig.unroll('resume', '--no-mlflow');
  expect(resumed.code).toBe(2);
  expect(resumed.stderr).toContain('[code-changed] The code of the model mine has changed');

  expect((await rig.unroll('run', 'spec.yaml', '--no-mlflow')).code).toBe(0);
  expect(rig.runIds('trial')).toHaveLength(2);
  const stale = await rig.unroll('ls');
  expect(stale.stdout).toMatch(new RegExp(`${first?.slice(0, 8) ?? ''}.*stale`));
});

it('a spec with train.stateful refuses a model of your own, which carries no state', async () => {
  const rig = createRig();
  rig.write('unroll.config.ts', config(average));
  rig.write('words.text', 'one two three four five six seven eight nine ten '.repeat(60));
  rig.write(
    'spec.yaml',
    `version: 1
name: words
dataset: { name: text, file: words.text, length: 5 }
model:
  name: mine
optimizer: { name: adam }
train: { batchSize: 4, steps: 10, shuffle: false, stateful: true }
`,
  );
  const refused = await rig.unroll('validate', 'spec.yaml');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^spec\.yaml:5:9 error \S+ The model mine cannot carry its state from batch to batch\.$/m,
  );
  expect(refused.stderr).toContain('expected: lstm, gru, simple-rnn');
  // Both ways that the help names.
  expect((await rig.unroll('validate', 'spec.yaml', '--set', 'model.name=gru')).stderr).toBe('');
  expect((await rig.unroll('validate', 'spec.yaml', '--set', 'train.stateful=false')).stderr).toBe('');
  const swept = await rig.unroll('validate', 'spec.yaml', '--sweep', 'model.name=lstm,mine');
  expect(swept.code).toBe(2);
  expect(swept.stderr).toContain(
    'The model mine cannot carry its state from batch to batch (with model.name: mine;',
  );
});

it('what goes wrong in a run is told with the file and line, without a stack trace', async () => {
  const rig = createRig();
  const names = ['throws', 'shape', 'leaks', 'unused', 'nothing'];
  rig.write(
    'unroll.config.ts',
    config(
      `
    if (wrong === 'throws') throw new Error('no luck');
    if (wrong === 'unused') weight('spare', [3], 'zeros');
    if (wrong === 'nothing') return undefined as never;
    return { forward: ({ inputs }) => {
      const mean = tf.mean(inputs, 1);
      if (wrong === 'leaks') tf.keep(tf.zeros([2]));
      return wrong === 'shape' ? mean : tf.matMul(mean, kernel);
    } };`,
      names,
    ),
  );
  rig.write(
    'spec.yaml',
    ownSpec(30, `sweep: { axes: { model.name: [${names.join(', ')}] } }`).replace('mine', 'throws'),
  );
  const { code, stdout } = await rig.unroll('run', 'spec.yaml', '--no-mlflow');
  expect(code).toBe(1);
  expect(stdout).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  const messages = Object.fromEntries(
    rig.runIds('trial').map((id) => {
      const run = JSON.parse(readFileSync(rig.runPath('trial', id, 'run.json'), 'utf8')) as {
        config: { model: { name: string } };
      };
      return [run.config.model.name, rig.status('trial', id).outcome?.message];
    }),
  );
  expect(messages).toEqual({
    throws: 'build of model throws (unroll.config.ts:9:35): no luck',
    shape:
      'forward of model shape (unroll.config.ts): the outputs have the shape [16, 1]; expected [batch, outputs] = [16, 2]',
    leaks:
      'forward of model leaks (unroll.config.ts): each step leaves a tensor behind that nothing frees; do not keep tensors (tf.keep, tf.variable) in a step',
    unused: 'the weight spare has no influence on the outputs, so it cannot be trained',
    nothing: 'build of model nothing (unroll.config.ts): it must return { forward }',
  });
});

it('own datasets and optimizers train', async () => {
  const rig = createRig();
  rig.write(
    'unroll.config.js',
    `import { defineConfig, defineDataset, defineOptimizer, memorySplit, randomStream, Type } from 'unroll-ml';
const shape = { steps: 3, input: { kind: 'values', features: 1 }, variableLength: false, task: { kind: 'classification', classes: 2 } };
const signs = defineDataset({
  name: 'signs',
  parameters: { size: Type.Integer({ minimum: 8, default: 64 }) },
  shape: () => shape,
  load: ({ size }) => {
    const split = (part) => {
      const random = randomStream(1, part);
      const inputs = Float32Array.from({ length: 3 * size }, () => random.normal());
      const targets = Int32Array.from({ length: size }, (_, index) => (inputs[3 * index + 2] > 0 ? 1 : 0));
      return memorySplit({ size, inputs, targets, lengths: new Int32Array(size).fill(3) });
    };
    return { shape, train: split('train'), test: split('test') };
  },
});
const signDescent = defineOptimizer({
  name: 'sign-descent',
  learningRate: 0.02,
  parameters: { decay: Type.Number({ minimum: 0, maximum: 1, default: 0.5 }) },
  slots: () => [{ name: 'mean', fill: 0 }],
  build: ({ decay }, { tf }) => (value, gradient, [mean], { learningRate }) => {
    const next = tf.add(tf.mul(mean, decay), tf.mul(gradient, 1 - decay));
    return { value: tf.sub(value, tf.mul(tf.sign(next), learningRate)), slots: [next] };
  },
});
export default defineConfig({ datasets: [signs], optimizers: [signDescent] });
`,
  );
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: signs }
model: { name: simple-rnn, hiddenSize: 4 }
optimizer: { name: sign-descent, schedule: { name: cosine } }
train: { batchSize: 16, steps: 60 }
expect: [{ metric: test/accuracy, gte: 0.8 }]
`,
  );
  expect(await rig.unroll('run', 'spec.yaml', '--no-mlflow')).toMatchObject({ code: 0, stderr: '' });
  expect((await rig.unroll('datasets')).stdout).toContain(`signs`);
  expect(rig.runIds('trial')).toHaveLength(1);
});
