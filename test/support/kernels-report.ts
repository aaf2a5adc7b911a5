import { chooseKernel } from '../../src/tensorflow/kernels/choose-kernel.ts';
import { fusedGatherPixels, fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

/** A process of its own: prints which kernels it has, which one an LSTM gets, and whether the library gathers images. */
await loadTensorFlow();
process.stdout.write(
  JSON.stringify({
    ...fusedKernels(),
    lstm: chooseKernel('lstm', []).name,
    gathers: fusedGatherPixels() !== undefined,
  }),
);
