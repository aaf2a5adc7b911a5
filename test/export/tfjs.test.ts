import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { describe, expect, it } from 'vitest';
import { toTfjs } from '../../src/export/tfjs/to-tfjs.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { largestDifference } from '../support/networks.ts';
import { trainedCase, type TrainedCase } from '../support/trained-models.ts';

await loadTensorFlow();

const cases = Number(process.env['UNROLL_EXPORT_CASES'] ?? 22);

const loaded = async ({ model, weights }: TrainedCase) => {
  const file = toTfjs(model, weights);
  if (!file) throw new Error('no file');
  const json = JSON.parse(file.json) as tf.io.ModelJSON;
  const data = Buffer.concat(file.weights);
  return await loadGraphModel({
    load: () =>
      Promise.resolve({
        ...json,
        weightSpecs: json.weightsManifest[0]?.weights ?? [],
        weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
      } as unknown as tf.io.ModelArtifacts),
  });
};

const feedsOf = ({ inputs, lengths, series, examples, time, columns }: TrainedCase) => ({
  inputs:
    inputs instanceof Int32Array
      ? tf.tensor2d(inputs, [examples, time], 'int32')
      : tf.tensor3d(Float32Array.from(inputs), [examples, time, columns]),
  ...(lengths && { lengths: tf.tensor1d(lengths, 'int32') }),
  ...(series && { series: tf.tensor1d(series, 'int32') }),
});

describe('a graph model in TensorFlow.js', () => {
  it.each(Array.from({ length: cases }, (_, number) => number))(
    'predicts as the network of case %i',
    async (number) => {
      const trained = await trainedCase(number);
      const model = await loaded(trained);
      const feeds = feedsOf(trained);
      const before = tf.memory().numTensors;
      const results = (await model.executeAsync(feeds)) as tf.Tensor[];
      const [outputs, predictions] = results.map((one) => one.dataSync<'float32'>());
      expect(tf.memory().numTensors - before, 'tensors that it leaves').toBe(results.length);
      const scale = Math.max(1, ...trained.predictions.map(Math.abs));
      expect(largestDifference(outputs ?? [], trained.outputs), trained.title).toBeLessThan(1e-5);
      expect(
        largestDifference(predictions ?? [], trained.predictions) / scale,
        `predictions of ${trained.title}`,
      ).toBeLessThan(1e-5);
      tf.dispose([results, feeds]);
      model.dispose();
    },
  );
});
