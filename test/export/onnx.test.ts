import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { toOnnx } from '../../src/export/onnx/to-onnx.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { largestDifference } from '../support/networks.ts';
import { trainedCase, type TrainedCase } from '../support/trained-models.ts';

await loadTensorFlow();

/** Pairs of a cell and a kind of data; 99 for all of them. */
const cases = Number(process.env['UNROLL_EXPORT_CASES'] ?? 33);

const fileOf = ({ model, weights }: TrainedCase): Uint8Array => {
  const file = toOnnx(model, weights);
  if ('impossible' in file) throw new Error(file.impossible);
  return Buffer.concat(file.pieces);
};

const feedsOf = ({ inputs, lengths, series, examples, time, columns, model }: TrainedCase) => {
  const isDouble = model.preprocessing.kind === 'table' || model.preprocessing.kind === 'series';
  return {
    inputs:
      inputs instanceof Int32Array
        ? new ort.Tensor('int32', inputs, [examples, time])
        : isDouble
          ? new ort.Tensor('float64', inputs, [examples, time, columns])
          : new ort.Tensor('float32', Float32Array.from(inputs), [examples, time, columns]),
    ...(lengths && { lengths: new ort.Tensor('int32', lengths, [examples]) }),
    ...(series && { series: new ort.Tensor('int32', series, [examples]) }),
  };
};

describe('an ONNX file in ONNX Runtime', () => {
  it.each(Array.from({ length: cases }, (_, number) => number))(
    'predicts as the network of case %i',
    async (number) => {
      const trained = await trainedCase(number);
      const session = await ort.InferenceSession.create(fileOf(trained));
      const results = await session.run(feedsOf(trained));
      const [outputs, predictions] = session.outputNames.map((name) => results[name]?.data as Float32Array);
      const scale = Math.max(1, ...trained.predictions.map(Math.abs));
      expect(largestDifference(outputs ?? [], trained.outputs), trained.title).toBeLessThan(1e-5);
      expect(
        largestDifference(predictions ?? [], trained.predictions) / scale,
        `predictions of ${trained.title}`,
      ).toBeLessThan(1e-5);
      await session.release();
    },
  );
});
