import { expect, expectTypeOf, it } from 'vitest';
import { defineConfig, defineDataset, defineExperiment, defineModel, defineOptimizer, Type } from 'unroll-ml';
import { temporalConvolution } from '../../examples/own-model/temporal-convolution.ts';

/** What must not compile is marked: an error that is expected and missing fails the type check. */
const rest = {
  name: 'typed',
  dataset: { name: 'mnist-rows' },
  optimizer: { name: 'adam', learningRate: 0.001 },
  train: { steps: 10 },
} as const;

it('knows the parameters of each row', () => {
  defineExperiment({ ...rest, model: { name: 'lstm', hiddenSize: 64, forgetBias: 1 } });
  defineExperiment({ ...rest, model: { name: 'gru', resetAfter: false } });
  // @ts-expect-error a GRU has no forget bias
  defineExperiment({ ...rest, model: { name: 'gru', forgetBias: 1 } });
  // @ts-expect-error no such model
  defineExperiment({ ...rest, model: { name: 'lstmm' } });
  // @ts-expect-error a number is expected
  defineExperiment({ ...rest, model: { name: 'lstm', hiddenSize: '64' } });
  // @ts-expect-error not one of the choices
  defineExperiment({ ...rest, model: { name: 'lstm', readout: 'first' } });
  // @ts-expect-error the key is misspelt
  defineExperiment({ ...rest, model: { name: 'lstm' }, train: { batchsize: 3 } });
});

it('knows the paths and values of axes', () => {
  const model = { name: 'lstm' } as const;
  defineExperiment({
    ...rest,
    model,
    sweep: {
      axes: {
        'model.hiddenSize': [64, 128],
        'optimizer.learningRate': { log: [1e-4, 1e-2], steps: 3 },
        'optimizer.schedule.name': ['constant', 'cosine'],
        model: [{ name: 'lstm', peepholes: true }, { name: 'gru' }],
        'train.batchSize': [32],
      },
    },
  });
  // @ts-expect-error no such path
  defineExperiment({ ...rest, model, sweep: { axes: { 'model.hidenSize': [64] } } });
  // @ts-expect-error a list of numbers is expected
  defineExperiment({ ...rest, model, sweep: { axes: { 'model.hiddenSize': ['64'] } } });
});

it('knows the rows of a config', () => {
  const config = defineConfig({ models: [temporalConvolution] });
  const given = defineExperiment(
    {
      ...rest,
      model: { name: 'temporal-convolution', kernelSize: 3 },
      sweep: { axes: { 'model.blocks': [3, 4] } },
    },
    config,
  );
  expect(given.model.name).toBe('temporal-convolution');
  defineExperiment({ ...rest, model: { name: 'lstm' } }, config);
  // @ts-expect-error not known without the config
  defineExperiment({ ...rest, model: { name: 'temporal-convolution' } });
  // @ts-expect-error the key is misspelt
  defineExperiment({ ...rest, model: { name: 'temporal-convolution', kernelsize: 3 } }, config);
});

it('infers the types of parameters from their schemas', () => {
  defineModel({
    name: 'mine',
    parameters: { width: Type.Integer(), mode: Type.Optional(Type.Boolean()) },
    build: (parameters, { weight }) => {
      expectTypeOf(parameters.width).toEqualTypeOf<number>();
      expectTypeOf(parameters.mode).toEqualTypeOf<boolean | undefined>();
      expectTypeOf(weight).toBeFunction();
      return { forward: ({ inputs }) => inputs };
    },
  });
  defineOptimizer({
    name: 'mine',
    learningRate: 0.1,
    parameters: { decay: Type.Number() },
    build: (parameters) => {
      expectTypeOf(parameters.decay).toEqualTypeOf<number>();
      expectTypeOf(parameters.learningRate).toEqualTypeOf<number>();
      return (value) => ({ value, slots: [] });
    },
  });
  // @ts-expect-error load is missing
  defineDataset({ name: 'mine', parameters: {}, shape: () => ({}) as never });
});
