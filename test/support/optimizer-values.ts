import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { optimizerVariants, updatedThrice } from './optimizer-variants.ts';

/** A process of its own: prints whether it has our kernels, and what each optimizer makes of some weights. */
await loadTensorFlow();
const values: Record<string, readonly number[][]> = {};
for (const [name, variant] of Object.entries(optimizerVariants))
  values[name] = (await updatedThrice(variant, [[7, 5], [3], []])).map((each) => [...each]);
process.stdout.write(JSON.stringify({ fused: fusedKernels().available, values }));
