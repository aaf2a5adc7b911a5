import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { chooseLstmKernel } from '../../src/tensorflow/kernels/lstm.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

/** A process of its own: prints which kernels it has, and which one an LSTM gets. */
await loadTensorFlow();
process.stdout.write(JSON.stringify({ ...fusedKernels(), lstm: chooseLstmKernel().name }));
