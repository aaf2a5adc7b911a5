import { type Static, type TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { adadelta } from '../../src/optimizers/adadelta.ts';
import { adagrad } from '../../src/optimizers/adagrad.ts';
import { adam } from '../../src/optimizers/adam.ts';
import { adamax } from '../../src/optimizers/adamax.ts';
import { adamw } from '../../src/optimizers/adamw.ts';
import type { NextWeight, OptimizerRow } from '../../src/optimizers/optimizer.ts';
import { rmsprop } from '../../src/optimizers/rmsprop.ts';
import { sgd } from '../../src/optimizers/sgd.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

const stepCount = 50;
const start = [0.5, -1.25, 2, 1e-3, -0.75, 1];

/** Gradients of every size and sign, with zeros, from the number of the step alone. */
const gradientAt = (step: number): number[] =>
  start.map((_, index) =>
    index === 3 && step % 3 === 0 ? 0 : Math.fround(Math.sin(step * (index + 1)) * 10 ** (index - 4)),
  );

/** A learning rate that changes, as a schedule makes it. */
const changing = (step: number) => 0.01 * (1 + (step % 7));

const complete = <P extends TObject>(row: OptimizerRow<P>, parameters: Partial<Static<P>>): Static<P> =>
  Value.Default(row.parameters, structuredClone(parameters)) as Static<P>;

/** The numbers as two weights of different shapes. */
const asWeights = (values: readonly number[]): readonly tf.Tensor[] => [
  tf.tensor1d(values.slice(0, 4)),
  tf.tensor2d(values.slice(4), [1, 2]),
];

/** The weights after fifty updates by the row. */
const descend = async <P extends TObject>(
  row: OptimizerRow<P>,
  parameters: Partial<Static<P>>,
  learningRate: (step: number) => number,
): Promise<number[]> => {
  const chosen = complete(row, parameters);
  const update = await row.build(chosen);
  let weights: readonly NextWeight[] = asWeights(start).map((value) => ({
    value,
    slots: row.slots(chosen).map(({ fill }) => tf.fill(value.shape, fill)),
  }));
  const tensors = () => weights.flatMap(({ value, slots }) => [value, ...slots]);
  const before = tf.memory().numTensors;
  for (let step = 1; step <= stepCount; step++) {
    const old = tensors();
    tf.tidy(() => {
      const gradients = asWeights(gradientAt(step));
      weights = update(
        weights.map((weight, index) => ({ ...weight, gradient: gradients[index] as tf.Tensor })),
        { step, learningRate: learningRate(step) },
      );
      tensors().forEach(tf.keep);
    });
    expect(weights.map(({ value }) => value.shape)).toEqual([[4], [1, 2]]);
    expect(tensors().length).toBe(old.length);
    tf.dispose(old);
  }
  expect(tf.memory().numTensors).toBe(before);
  const result = weights.flatMap(({ value }) => [...value.dataSync()]);
  tf.dispose(tensors());
  return result;
};

/** The weights after fifty updates of single numbers in double precision. */
const descendPlainly = (
  make: () => (weight: number, g: number, r: number, t: number) => number,
  learningRate: (step: number) => number,
): number[] =>
  start.map((first, index) => {
    const update = make();
    let weight = Math.fround(first);
    for (let step = 1; step <= stepCount; step++) {
      weight = update(weight, gradientAt(step)[index] ?? NaN, learningRate(step), step);
    }
    return weight;
  });

const expectClose = (actual: readonly number[], expected: readonly number[], relative: number) => {
  actual.forEach((value, index) => {
    const wanted = expected[index] ?? NaN;
    expect(Math.abs(value - wanted), `weight ${index}: ${value} instead of ${wanted}`).toBeLessThanOrEqual(
      relative * Math.max(1, Math.abs(wanted)),
    );
  });
};

const plainAdam = (b1: number, b2: number, epsilon: number, weightDecay: number) => () => {
  let [m, v] = [0, 0];
  return (w: number, g: number, r: number, t: number) => {
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    const size = (r * Math.sqrt(1 - b2 ** t)) / (1 - b1 ** t);
    return w - r * weightDecay * w - (size * m) / (Math.sqrt(v) + epsilon);
  };
};

const plain = {
  sgd: () => (w: number, g: number, r: number) => w - r * g,
  momentum: () => {
    let v = 0;
    return (w: number, g: number, r: number) => {
      v = 0.9 * v - r * g;
      return w + v;
    };
  },
  nesterov: () => {
    let v = 0;
    return (w: number, g: number, r: number) => {
      v = 0.9 * v - r * g;
      return w + 0.9 * v - r * g;
    };
  },
  rmsprop: () => {
    let [s, a, u] = [0, 0, 0];
    return (w: number, g: number, r: number) => {
      s = 0.9 * s + 0.1 * g * g;
      a = 0.9 * a + 0.1 * g;
      u = 0.5 * u + (r * g) / Math.sqrt(s - a * a + 1e-3);
      return w - u;
    };
  },
  adagrad: () => {
    let s = 0.1;
    return (w: number, g: number, r: number) => {
      s += g * g;
      return w - (r * g) / Math.sqrt(s + 1e-7);
    };
  },
  adadelta: () => {
    let [s, x] = [0, 0];
    return (w: number, g: number, r: number) => {
      s = 0.95 * s + 0.05 * g * g;
      const d = (g * Math.sqrt(x + 1e-6)) / Math.sqrt(s + 1e-6);
      x = 0.95 * x + 0.05 * d * d;
      return w - r * d;
    };
  },
  adamax: () => {
    let [m, u] = [0, 0];
    return (w: number, g: number, r: number, t: number) => {
      m = 0.9 * m + 0.1 * g;
      u = Math.max(0.999 * u, Math.abs(g));
      return w - ((r / (1 - 0.9 ** t)) * m) / (u + 1e-8);
    };
  },
};

beforeAll(async () => {
  await loadTensorFlow();
});

describe('each optimizer does what its formula says, for fifty updates at a changing learning rate', () => {
  it.each([
    ['sgd', () => descend(sgd, {}, changing), plain.sgd],
    ['sgd with momentum', () => descend(sgd, { momentum: 0.9 }, changing), plain.momentum],
    ['sgd with nesterov', () => descend(sgd, { momentum: 0.9, nesterov: true }, changing), plain.nesterov],
    [
      'rmsprop, centered, with momentum',
      () => descend(rmsprop, { centered: true, momentum: 0.5, epsilon: 1e-3 }, changing),
      plain.rmsprop,
    ],
    ['adagrad', () => descend(adagrad, {}, changing), plain.adagrad],
    ['adadelta', () => descend(adadelta, {}, changing), plain.adadelta],
    ['adam', () => descend(adam, {}, changing), plainAdam(0.9, 0.999, 1e-8, 0)],
    [
      'adam, other rates',
      () => descend(adam, { beta1: 0.5, beta2: 0.9 }, changing),
      plainAdam(0.5, 0.9, 1e-8, 0),
    ],
    ['adamw', () => descend(adamw, { weightDecay: 0.1 }, changing), plainAdam(0.9, 0.999, 1e-8, 0.1)],
    ['adamax', () => descend(adamax, {}, changing), plain.adamax],
  ] as const)('%s', async (_, actual, expected) => {
    expectClose(await actual(), descendPlainly(expected, changing), 1e-6);
  });
});

describe("each optimizer agrees with tfjs's own, where the formula is the same", () => {
  const rate = 0.01;
  const descendByTfjs = (optimizer: tf.Optimizer): number[] => {
    const weight = tf.variable(tf.tensor1d(start), true, 'weight');
    for (let step = 1; step <= stepCount; step++) {
      tf.tidy(() => optimizer.applyGradients({ weight: tf.tensor1d(gradientAt(step)) }));
    }
    const result = [...weight.dataSync()];
    weight.dispose();
    optimizer.dispose();
    return result;
  };
  const constant = () => rate;

  // Left out, as tfjs differs from the papers: its adadelta divides by the gradients' size of one update before, and its
  // centered rmsprop subtracts epsilon.

  it.each([
    ['sgd', () => descend(sgd, {}, constant), () => tf.train.sgd(rate)],
    ['momentum', () => descend(sgd, { momentum: 0.9 }, constant), () => tf.train.momentum(rate, 0.9)],
    [
      'nesterov',
      () => descend(sgd, { momentum: 0.9, nesterov: true }, constant),
      () => tf.train.momentum(rate, 0.9, true),
    ],
    ['rmsprop', () => descend(rmsprop, {}, constant), () => tf.train.rmsprop(rate, 0.9, 0, 1e-7)],
    ['adagrad', () => descend(adagrad, {}, constant), () => tf.train.adagrad(rate, 0.1)],
    // tfjs adds epsilon after the correction of the start, the paper's efficient form before: it must not matter here.
    ['adam', () => descend(adam, { epsilon: 1e-12 }, constant), () => tf.train.adam(rate, 0.9, 0.999, 1e-12)],
    ['adamax', () => descend(adamax, {}, constant), () => tf.train.adamax(rate, 0.9, 0.999, 1e-8)],
  ] as const)('%s', async (_, actual, expected) => {
    expectClose(await actual(), descendByTfjs(expected()), 2e-6);
  });
});

describe('an update is pure', () => {
  it.each([sgd, rmsprop, adagrad, adadelta, adam, adamw, adamax] as readonly OptimizerRow[])(
    'leaves value, gradient and slots as they were: $title',
    async (row) => {
      const chosen = complete(row, 'momentum' in row.parameters.properties ? { momentum: 0.9 } : {});
      const update = await row.build(chosen);
      const given = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])] as const;
      const slots = row.slots(chosen).map(() => tf.tensor1d([0.5, 0.25]));
      const read = () => [...given, ...slots].map((tensor) => [...tensor.dataSync()]);
      const before = read();
      tf.tidy(() => {
        update([{ value: given[0], gradient: given[1], slots }], { step: 1, learningRate: 0.1 });
      });
      expect(read()).toEqual(before);
      tf.dispose([...given, ...slots]);
    },
  );
});
