import { listNames as sectionNames } from '../../registry/rows.ts';

/** The commands that list the entries, and the keys of a config. */
export const listNames = { ...sectionNames, metric: 'metrics' } as const;

/** What `unroll new` can begin. */
export const newKinds = ['model', 'dataset', 'optimizer', 'loss', 'metric'] as const;

export type NewKind = (typeof newKinds)[number];

/** A name that a spec, a file and (in camel case) a program can write. */
export const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const identifierOf = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const modelModule = (name: string): string => `import { defineModel, Type } from 'unroll-ml';

/** The mean over all steps, one hidden layer, and the output layer: change \`build\` to what you have in mind. */
export const ${identifierOf(name)} = defineModel({
  name: '${name}',
  title: 'Mean over the steps and a hidden layer',
  description: 'The inputs of all steps are averaged; one hidden layer reads the mean.',
  parameters: {
    hiddenSize: Type.Integer({
      description: 'Units of the hidden layer.',
      minimum: 1,
      maximum: 4096,
      default: 32,
      examples: [16, 32, 64],
    }),
  },
  build: ({ hiddenSize }, { tf, shape, weight, outputs }) => {
    if (shape.input.kind !== 'values') throw new Error('This model reads numbers, not tokens.');
    const { features } = shape.input;
    const hidden = weight('hidden/kernel', [features, hiddenSize], 'glorot-uniform');
    const hiddenBias = weight('hidden/bias', [hiddenSize], 'zeros');
    const output = weight('output/kernel', [hiddenSize, outputs], 'glorot-uniform');
    const outputBias = weight('output/bias', [outputs], 'zeros');
    return {
      // inputs: [batch, steps, features]; the answer: [batch, outputs].
      forward: ({ inputs }) => {
        const mean = tf.mean(inputs, 1);
        const active = tf.relu(tf.add(tf.matMul(mean, hidden), hiddenBias));
        return tf.add(tf.matMul(active, output), outputBias);
      },
    };
  },
});
`;

const datasetModule = (
  name: string,
): string => `import { defineDataset, memorySplit, randomStream, Type, type SequenceShape } from 'unroll-ml';

/**
 * One number a step, and one class a sequence. Other forms, with the arrays that a split of \`size\` sequences then has:
 *
 *     input: { kind: 'values', features: 3 }                    inputs: Float32Array [size, steps, 3]
 *     input: { kind: 'tokens', vocabulary: 26 }                 inputs: Int32Array [size, steps], from 0 to 25
 *     task: { kind: 'labelling', classes: 3, labels }           targets: Int32Array [size, steps], a class for each step
 *     task: { kind: 'next-step', classes: 26 }                  targets: Int32Array [size, steps], the next token
 *     task: { kind: 'multi-label', classes: 3, labels }         targets: Float32Array [size, 3], 0 or 1 for each label
 *     task: { kind: 'regression', outputs: 2, targets: names }  targets: Float32Array [size, 2]
 *     task: { kind: 'regression', outputs: 2, perStep: true }   targets: Float32Array [size, steps, 2]
 */
const shapeOf = (steps: number): SequenceShape => ({
  steps,
  input: { kind: 'values', features: 1 },
  // Each sequence has a length of its own, of at most \`steps\`; what is past it is zero.
  variableLength: true,
  task: { kind: 'classification', classes: 2, labels: ['falling', 'rising'] },
});

/** Noisy lines that rise or fall: change \`load\` to read or make what you have in mind. */
export const ${identifierOf(name)} = defineDataset({
  name: '${name}',
  title: 'Noisy lines that rise or fall',
  description: 'Straight lines with normal noise; the class shows whether a line rises.',
  parameters: {
    size: Type.Integer({ description: 'Sequences to train on.', minimum: 1, default: 512, examples: [512] }),
    steps: Type.Integer({ description: 'Steps of the longest sequence.', minimum: 2, maximum: 1000, default: 10 }),
    noise: Type.Number({ description: 'Standard deviation of the noise.', minimum: 0, default: 0.1 }),
  },
  // Known without loading anything, because \`unroll plan\` asks for it.
  shape: ({ steps }) => shapeOf(steps),
  // A run's id depends on this module, on the parameters, and on the content of the files whose parameters are named here.
  // For data from elsewhere add \`digest\`: it returns a string that changes with the data, such as the version of a database.
  files: [],
  load: ({ size, steps, noise }) => {
    const split = (part: string, count: number) => {
      // Draws of the part's own, the same in every run.
      const random = randomStream(1, part);
      const inputs = new Float32Array(count * steps);
      const targets = new Int32Array(count);
      const lengths = new Int32Array(count);
      for (let row = 0; row < count; row++) {
        // The index of the class in \`labels\`.
        targets[row] = random.integer(2);
        const length = 2 + random.integer(steps - 1);
        lengths[row] = length;
        for (let step = 0; step < length; step++) {
          const line = (step / (steps - 1)) * (targets[row] === 1 ? 1 : -1);
          inputs[row * steps + step] = line + noise * random.normal();
        }
      }
      return memorySplit({ size: count, inputs, targets, lengths });
    };
    return { shape: shapeOf(steps), train: split('train', size), test: split('test', 256) };
  },
});
`;

const optimizerModule = (name: string): string => `import { defineOptimizer, Type } from 'unroll-ml';

/** Steps of one size along the sign of a decaying mean of gradients: change \`build\` to what you have in mind. */
export const ${identifierOf(name)} = defineOptimizer({
  name: '${name}',
  title: 'Descent along the sign of the momentum',
  description: 'Each weight moves by the learning rate against the sign of its mean gradient.',
  learningRate: 0.003,
  parameters: {
    momentum: Type.Number({
      description: 'The part of the mean that the next one keeps.',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.9,
      examples: [0.9, 0.99],
    }),
  },
  // One state of the weight's shape for each weight; it is kept in checkpoints.
  slots: () => [{ name: 'mean', fill: 0 }],
  build: ({ momentum }, { tf }) => {
    // Clipping and the schedule of the learning rate are done before.
    return (value, gradient, slots, { learningRate }) => {
      const [mean = tf.zerosLike(gradient)] = slots;
      const next = tf.add(tf.mul(mean, momentum), tf.mul(gradient, 1 - momentum));
      return { value: tf.sub(value, tf.mul(tf.sign(next), learningRate)), slots: [next] };
    };
  },
});
`;

const lossModule = (name: string): string => `import { defineLoss, Type } from 'unroll-ml';

/** The logarithm of the hyperbolic cosine of the error: change \`build\` to what you have in mind. */
export const ${identifierOf(name)} = defineLoss({
  name: '${name}',
  title: 'Logarithm of the hyperbolic cosine',
  description: 'Half the squared error near zero, the absolute error far from it.',
  tasks: ['regression', 'forecast'],
  parameters: {
    scale: Type.Number({
      description: 'The error at which the loss changes from square to linear.',
      exclusiveMinimum: 0,
      default: 1,
      examples: [0.5, 1],
    }),
  },
  build: ({ scale }, { tf }) => {
    // outputs and targets: [rows, numbers]; the result: the loss of each row, [rows].
    return (outputs, targets) => {
      const error = tf.div(tf.sub(outputs, targets), scale);
      // log cosh x = |x| + log(1 + exp(-2 |x|)) - log 2, which does not overflow.
      const size = tf.abs(error);
      return tf.mean(tf.sub(tf.add(size, tf.softplus(tf.mul(size, -2))), Math.log(2)), 1);
    };
  },
});
`;

const metricModule = (name: string): string => `import { defineMetric } from 'unroll-ml';

/** The share of right predictions among those that the network is sure of: change \`build\` to what you have in mind. */
export const ${identifierOf(name)} = defineMetric({
  name: '${name}',
  title: 'Accuracy of sure predictions',
  description: 'The accuracy of the predictions with a probability above 0.6; NaN without any.',
  goal: 'maximize',
  unit: 'fraction',
  range: [0, 1],
  tasks: ['classification', 'labelling'],
  build: ({ task }) => {
    if (task.kind !== 'classification' && task.kind !== 'labelling') throw new Error('not listed in tasks');
    const { classes } = task;
    let right = 0;
    let sure = 0;
    return {
      // truths: [rows] classes; outputs: [rows, classes] logits; weights: [rows], absent where all rows count 1.
      add: ({ size, truths, outputs, weights }) => {
        for (let row = 0; row < size; row++) {
          const logits = Array.from({ length: classes }, (_, at) => Number(outputs[row * classes + at]));
          const largest = Math.max(...logits);
          const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
          if (1 / sum <= 0.6) continue;
          const weight = weights?.[row] ?? 1;
          sure += weight;
          if (logits.indexOf(largest) === truths[row]) right += weight;
        }
      },
      value: () => right / sure,
    };
  },
});
`;

const moduleOf: Readonly<Record<NewKind, (name: string) => string>> = {
  model: modelModule,
  dataset: datasetModule,
  optimizer: optimizerModule,
  loss: lossModule,
  metric: metricModule,
};

/** What the spec of a new entry has besides its name: the sections that decide how fast it learns, and what it must reach. */
interface Trial {
  readonly dataset: string;
  readonly model: string;
  readonly optimizer?: string;
  readonly loss?: string;
  readonly train: string;
  readonly objective?: string;
  readonly expect: string;
}

const digits = {
  dataset: 'name: mnist-rows',
  train: 'batchSize: 128, steps: 100',
  expect: '{ metric: test/accuracy, gte: 0.3 } # guessing has 0.1',
};

const trialOf: Readonly<Record<NewKind, (name: string) => Trial>> = {
  model: (name) => ({ ...digits, model: `name: ${name}, hiddenSize: 32` }),
  dataset: (name) => ({
    dataset: `name: ${name}, steps: 10`,
    model: 'name: gru, hiddenSize: 8',
    train: 'batchSize: 32, steps: 60',
    expect: '{ metric: test/accuracy, gte: 0.9 }',
  }),
  optimizer: (name) => ({
    ...digits,
    model: 'name: simple-rnn, hiddenSize: 32',
    optimizer: `name: ${name}, momentum: 0.9`,
  }),
  loss: (name) => ({
    dataset: 'name: adding-problem, length: 10, trainSize: 2000, testSize: 500',
    model: 'name: gru, hiddenSize: 16',
    loss: `name: ${name}, scale: 0.5`,
    train: 'batchSize: 32, steps: 150',
    expect: '{ metric: test/mae, lte: 0.33 } # always answering the mean has about 0.33',
  }),
  metric: (name) => ({
    dataset: 'name: toy-sequences, trainSize: 400, validationSize: 100, testSize: 200',
    model: 'name: gru, hiddenSize: 8',
    optimizer: 'name: adam, learningRate: 0.02',
    train: 'batchSize: 32, steps: 150, evaluateEvery: 50',
    objective: `metric: val/${name}`,
    expect: `{ metric: test/${name}, gte: 0.5 } # guessing has 0.5`,
  }),
};

const specOf = (kind: NewKind, name: string): string => {
  const { dataset, model, optimizer, loss, train, objective, expect } = trialOf[kind](name);
  return `# unroll run ${name}.yaml
version: 1
name: ${name}
dataset: { ${dataset} }
model: { ${model} }
optimizer: { ${optimizer ?? 'name: adam, learningRate: 0.01'} }
${loss === undefined ? '' : `loss: { ${loss} }\n`}train: { ${train} }
${
  objective === undefined
    ? ''
    : `objective: { ${objective} }
`
}expect:
  - ${expect}
`;
};

const testOf = (name: string): string => `// node --test ${name}.test.mjs
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const cwd = dirname(fileURLToPath(import.meta.url));
const unroll = (...words) => spawnSync('npx', ['--no', 'unroll', ...words], { cwd, encoding: 'utf8' });

test('a spec that names ${name} is valid', () => {
  const { status, stderr } = unroll('validate', '${name}.yaml');
  assert.equal(status, 0, stderr);
});

test('${name} trains and reaches what its spec expects', () => {
  const runs = mkdtempSync(join(tmpdir(), '${name}-'));
  const { status, stdout, stderr } = unroll('run', '${name}.yaml', '--runs-directory', runs, '--no-mlflow');
  rmSync(runs, { recursive: true });
  assert.equal(status, 0, stdout + stderr);
});
`;

/** The module, its spec and its test, by file name. */
export const ownRowFiles = (kind: NewKind, name: string): Readonly<Record<string, string>> => ({
  [`${name}.ts`]: moduleOf[kind](name),
  [`${name}.yaml`]: specOf(kind, name),
  [`${name}.test.mjs`]: testOf(name),
});

/** The two lines that register the entry in a config. */
export const registration = (kind: NewKind, name: string) => ({
  importLine: `import { ${identifierOf(name)} } from './${name}.ts';`,
  entry: `${listNames[kind]}: [${identifierOf(name)}]`,
});

/** A config that registers this row only. */
export const configFile = (kind: NewKind, name: string): string => {
  const { importLine, entry } = registration(kind, name);
  return `import { defineConfig } from 'unroll-ml';
${importLine}

/** What specs in this folder, and below it, may name beside what comes with Unroll. */
export default defineConfig({ ${entry} });
`;
};
