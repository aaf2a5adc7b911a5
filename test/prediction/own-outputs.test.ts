import { expect, test } from 'vitest';
import { ownOutputs } from '../../src/prediction/own-outputs.ts';
import { registry, rowOf } from '../../src/registry/rows.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { useKernelThreads } from '../../src/tensorflow/kernels/own-library.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { pairs, trainedCase, type TrainedCase } from '../support/trained-models.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const examples = 37;

/** The outputs without TensorFlow; undefined where they need it. */
const ownOf = (
  { model, weights, encoded, lengths, time }: TrainedCase,
  alone: boolean,
): Float32Array | undefined => {
  const { parameters, name } = model.model;
  const [kernel] = rowOf(registry.model, { name }).kernels?.({ ...parameters, name }) ?? [];
  const file = { ...model, kernel: kernel?.name ?? '' };
  const own = ownOutputs({ file, weights, directory: 'model' }, registry);
  if (!own.ok) throw new Error(own.errors[0]?.message);
  const batch = {
    size: examples,
    inputs: encoded,
    lengths: lengths ?? new Int32Array(examples).fill(time),
    targets: new Int32Array(),
  };
  return own.value?.({ batch, shape: model.shape, id: String }, { alone })();
};

test.skipIf(!kernels.available)(
  'networks have the bits that they have within TensorFlow, with any number of threads',
  async () => {
    const without = new Set<string>();
    let compared = 0;
    for (let number = 0; number < pairs; number++) {
      const one = await trainedCase(number, examples);
      const { readout, peepholes, projectionSize, layerNorm, resetAfter } = one.model.model.parameters;
      useKernelThreads(1 + (number % 3));
      const own = ownOf(one, number % 2 === 0);
      const isPlain =
        readout !== 'mean' &&
        readout !== 'max' &&
        peepholes !== true &&
        (projectionSize ?? null) === null &&
        layerNorm !== true &&
        resetAfter !== false;
      if (!isPlain) {
        expect(own, one.title).toBeUndefined();
        continue;
      }
      expect(own, one.title).toEqual(one.outputs);
      without.add(`${one.model.model.name} ${one.model.shape.task.kind}`);
      compared++;
    }
    useKernelThreads(2);
    expect(compared).toBeGreaterThan(20);
    expect(without.size).toBeGreaterThan(12);
  },
);
