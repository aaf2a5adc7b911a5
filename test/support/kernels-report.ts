import { fusedGatherPixels, fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { chooseLstmKernel } from '../../src/tensorflow/kernels/lstm.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

/** A process of its own: prints which kernels it has, which one an LSTM gets, and whether the library gathers images. */
await loadTensorFlow();
process.stdout.write(
  JSON.stringify({
    ...fusedKernels(),
    lstm: chooseLstmKernel().name,
    gathers: fusedGatherPixels() !== undefined,
  }),
);
