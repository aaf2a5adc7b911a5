import type { Precision } from '../../src/tensorflow/kernels/kernel.ts';

/** One training step that every contestant takes: forward, loss, gradient and update of one batch. */
export interface StepWork {
  readonly name: string;
  readonly model: 'lstm' | 'gru' | 'simple-rnn';
  readonly batch: number;
  readonly hidden: number;
  readonly steps: number;
  readonly features: number;
  readonly classes: number;
  /** Recurrent layers on top of each other; one where absent. */
  readonly layers?: number;
  /** The output at the last index of both directions is read out. */
  readonly bidirectional: boolean;
  readonly variableLength: boolean;
  readonly optimizer: 'adam' | 'sgd';
  /** Unroll's; float32 where absent. */
  readonly precision?: Precision;
  /** The largest ratio that is aimed at; a peer without one is not measured on this work. */
  readonly goals: Readonly<Partial<Record<'PyTorch' | 'Keras' | 'tfjs-layers', number>>>;
}

/** MNIST's shape: an image read row by row. */
const rows = {
  steps: 28,
  features: 28,
  classes: 10,
  bidirectional: false,
  variableLength: false,
  optimizer: 'adam',
} as const;

export const lstm = (batch: number, hidden: number): StepWork => ({
  ...rows,
  name: `LSTM, hidden ${hidden}, batch ${batch}`,
  model: 'lstm',
  batch,
  hidden,
  goals: { PyTorch: batch === 128 ? 0.7 : 0.9, Keras: 0.55, 'tfjs-layers': 0.3 },
});

export const stepWorks: readonly StepWork[] = [
  ...[128, 32].flatMap((batch) => [64, 128, 256, 512].map((hidden) => lstm(batch, hidden))),
  {
    ...rows,
    name: 'bidirectional LSTM, hidden 512, batch 128',
    model: 'lstm',
    batch: 128,
    hidden: 512,
    bidirectional: true,
    goals: { PyTorch: 0.8 },
  },
  {
    name: 'LSTM over toy sequences of 3 to 20 numbers, hidden 64, batch 128',
    model: 'lstm',
    batch: 128,
    hidden: 64,
    steps: 20,
    features: 1,
    classes: 2,
    bidirectional: false,
    variableLength: true,
    optimizer: 'sgd',
    goals: { PyTorch: 0.8 },
  },
  {
    ...rows,
    name: 'GRU, hidden 256, batch 128',
    model: 'gru',
    batch: 128,
    hidden: 256,
    goals: { PyTorch: 0.8 },
  },
];

/** One of the matrix products that a step is made of: `[rows, inner]` times `[inner, columns]`. */
export interface Product {
  readonly name: 'forward' | 'gradient of the state' | 'gradient of the kernel';
  /** Of one call by a library; the state goes through the first and second step by step. */
  readonly shape: readonly [rows: number, inner: number, columns: number];
  /** Thousands of millions of floating-point operations in the whole step. */
  readonly gigaflops: number;
}

/**
 * The products of a step in one direction, and no more of them than there must be: the state before the first step is
 * zero, and the gradient of the inputs is not needed. Gates, loss and update are not counted.
 */
export const productsOf = ({ model, batch, hidden, steps, features }: StepWork): readonly Product[] => {
  const columns = { lstm: 4, gru: 3, 'simple-rnn': 1 }[model] * hidden;
  const each = (2 * batch * columns) / 1e9;
  const operands = each * (steps * features + (steps - 1) * hidden);
  return [
    { name: 'forward', shape: [batch, features + hidden, columns], gigaflops: operands },
    {
      name: 'gradient of the state',
      shape: [batch, columns, hidden],
      gigaflops: each * (steps - 1) * hidden,
    },
    {
      name: 'gradient of the kernel',
      shape: [features + hidden, steps * batch, columns],
      gigaflops: operands,
    },
  ];
};

/** Thousands of millions of floating-point operations in all of them. */
export const gigaflops = (work: StepWork): number =>
  productsOf(work).reduce((sum, product) => sum + product.gigaflops, 0);

/** Long enough for a steady figure, short enough for many works and contestants. */
export const repetitionsOf = (work: StepWork): number =>
  Math.round(Math.min(50, Math.max(5, 60 / gigaflops(work))));

export interface StepRequest {
  readonly do: 'steps';
  readonly work: StepWork;
  readonly mode: string;
  readonly repetitions: number;
}

/** Milliseconds of each step. */
export interface StepTimes {
  readonly cpu: readonly number[];
  readonly wall: readonly number[];
  readonly kernel?: string;
}

/** Takes steps and times each of them, after one that brings back what other processes have driven out of the caches. */
export const timeSteps = async (step: () => unknown, repetitions: number): Promise<StepTimes> => {
  await step();
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let at = 0; at < repetitions; at++) {
    const before = process.cpuUsage();
    const began = performance.now();
    await step();
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
    wall.push(performance.now() - began);
  }
  return { cpu, wall };
};
