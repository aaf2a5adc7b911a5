import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { defineModel, Type } from 'unroll-ml';

/**
 * A temporal convolution network (Bai, Kolter and Koltun 2018, "An empirical evaluation of generic convolutional and
 * recurrent networks for sequence modeling"): blocks of causal convolutions whose dilation doubles, each with a residual
 * connection. A step sees itself and the past only, so values past a sequence's length have no influence.
 */
export const temporalConvolution = defineModel({
  name: 'temporal-convolution',
  title: 'Temporal convolution network',
  description: 'Dilated causal convolutions with residual connections (Bai, Kolter and Koltun 2018).',
  parameters: {
    filters: Type.Integer({
      description: 'Features of each step between the blocks.',
      minimum: 1,
      maximum: 4096,
      default: 64,
      examples: [32, 64, 128],
    }),
    kernelSize: Type.Integer({
      description: 'Steps that a convolution looks at.',
      minimum: 2,
      maximum: 64,
      default: 3,
    }),
    blocks: Type.Integer({
      description: 'Blocks on top of each other; block b looks 2^(b-1) steps apart.',
      minimum: 1,
      maximum: 16,
      default: 4,
    }),
  },
  checkWith: ({ kernelSize, blocks }, { shape }) => {
    const seen = 1 + (kernelSize - 1) * (2 ** blocks - 1);
    return seen > 4 * shape.steps
      ? [
          {
            path: 'blocks',
            message: `The last block would look back ${seen} steps, and the longest sequence has ${shape.steps}.`,
            expected: `at most ${4 * shape.steps} steps`,
            help: 'Lower blocks or kernelSize.',
          },
        ]
      : [];
  },
  build: ({ filters, kernelSize, blocks }, { tf, shape, weight, outputs, outputPerStep }) => {
    const features = shape.input.kind === 'values' ? shape.input.features : shape.input.vocabulary;
    const layers = Array.from({ length: blocks }, (_, index) => {
      const width = index === 0 ? features : filters;
      const name = `block${index + 1}`;
      return {
        dilation: 2 ** index,
        kernel: weight(`${name}/kernel`, [kernelSize * width, filters], 'he-normal'),
        bias: weight(`${name}/bias`, [filters], 'zeros'),
        // The residual connection needs equal widths.
        shortcut:
          width === filters ? undefined : weight(`${name}/shortcut`, [width, filters], 'glorot-uniform'),
      };
    });
    const outputKernel = weight('output/kernel', [filters, outputs], 'glorot-uniform');
    const outputBias = weight('output/bias', [outputs], 'zeros');

    /** `[batch, time, features]` times `[features, size]`: `[batch, time, size]`. */
    const eachStep = (input: Tensor3D, kernel: Tensor2D): Tensor3D => {
      const [batch, time, width] = input.shape;
      const rows: Tensor2D = tf.reshape(input, [batch * time, width]);
      return tf.reshape(tf.matMul(rows, kernel), [batch, time, kernel.shape[1]]);
    };

    /** The steps `distance` before each step, zeros before the first. */
    const delayed = (input: Tensor3D, distance: number): Tensor3D => {
      const [batch, time, width] = input.shape;
      if (distance === 0) return input;
      if (distance >= time) return tf.zerosLike(input);
      const past = tf.slice(input, [0, 0, 0], [batch, time - distance, width]);
      return tf.pad(past, [
        [0, 0],
        [distance, 0],
        [0, 0],
      ]);
    };

    const convolution = (input: Tensor3D, dilation: number, kernel: Tensor2D): Tensor3D => {
      const window = Array.from({ length: kernelSize }, (_, index) => delayed(input, index * dilation));
      return eachStep(tf.concat(window, 2), kernel);
    };

    return {
      forward: ({ inputs, lengths }) => {
        let steps =
          shape.input.kind === 'values'
            ? (inputs as Tensor3D)
            : tf.cast(tf.oneHot(inputs as Tensor2D, features) as Tensor3D, 'float32');
        for (const { dilation, kernel, bias, shortcut } of layers) {
          const rest = shortcut ? eachStep(steps, shortcut as Tensor2D) : steps;
          const convolved = tf.relu(tf.add(convolution(steps, dilation, kernel as Tensor2D), bias));
          steps = tf.relu(tf.add<Tensor3D>(convolved, rest));
        }
        if (outputPerStep) return tf.add(eachStep(steps, outputKernel as Tensor2D), outputBias);
        // The last step within each sequence's length.
        const [batch, time] = steps.shape;
        const last = lengths ? tf.sub(lengths, 1) : tf.fill([batch], time - 1, 'int32');
        const chosen = tf.cast(tf.expandDims(tf.oneHot(tf.cast(last, 'int32'), time), 2), 'float32');
        const read: Tensor2D = tf.sum(tf.mul(steps, chosen), 1);
        return tf.add(tf.matMul(read, outputKernel as Tensor2D), outputBias);
      },
    };
  },
});
