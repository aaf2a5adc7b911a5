import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as core from '@tensorflow/tfjs-core';
import type { KernelBackend } from '@tensorflow/tfjs-core';
// Declares the methods of tensors (`x.add(y)`), which every back end below registers.
import type {} from '@tensorflow/tfjs-node';
import { findAddon } from './find-addon.ts';
import { doctorHint } from './installation.ts';

/** The back end that tensors live on in this process. */
export interface Backend {
  readonly name: 'tensorflow' | 'wasm' | 'cpu';
  /** Version of the library behind it, such as `2.21.0`. */
  readonly version: string;
  /** Why native TensorFlow is not used, what that costs and how to mend it; absent when it is used. */
  readonly warning?: string;
}

interface NativeBinding {
  readonly TF_Version: string;
}

const require = createRequire(import.meta.url);

/**
 * Registers tfjs-node's back end and kernels without the rest of that package (models, images, TensorBoard and the
 * search for its addon), which saves a fifth of the time to load.
 */
const loadNative = async (addon: string): Promise<Backend> => {
  // TensorFlow's greeting on standard error, unless someone asked for it.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // tfjs-node 4.22 calls this function, which Node 22 warns of and Node 23 removed.
  (util as { isNullOrUndefined?: (value: unknown) => boolean }).isNullOrUndefined = (value) =>
    value === null || value === undefined;
  const binding = require(addon) as NativeBinding;
  require('@tensorflow/tfjs-node/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new (binding: NativeBinding, packageName: string) => KernelBackend;
  };
  core.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);
  await core.setBackend('tensorflow');
  return { name: 'tensorflow', version: binding.TF_Version };
};

const loadWasm = async (): Promise<Backend> => {
  // The union package registers the gradients and the methods of tensors; tfjs-node brings it.
  createRequire(require.resolve('@tensorflow/tfjs-node/package.json'))('@tensorflow/tfjs');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(
    join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + '/',
  );
  // Its threads are workers that outlive the work and would keep the process from ending.
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await core.setBackend('wasm'))) throw new Error('the WebAssembly back end cannot start');
  return { name: 'wasm', version: wasm.version_wasm };
};

const loadCpu = async (): Promise<Backend> => {
  createRequire(require.resolve('@tensorflow/tfjs-node/package.json'))('@tensorflow/tfjs');
  await core.setBackend('cpu');
  return { name: 'cpu', version: core.version_core };
};

const slowly = (reason: string, backend: Backend): Backend => ({
  ...backend,
  warning:
    `Native TensorFlow is not used: ${reason}. ` +
    (backend.name === 'wasm'
      ? 'Training runs on WebAssembly, about 50 times slower.'
      : 'Training runs in plain JavaScript, about 150 times slower.') +
    doctorHint,
});

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

const choose = async (addon: string | undefined): Promise<Backend> => {
  const forced = process.env['UNROLL_BACKEND'];
  let reason = `UNROLL_BACKEND says ${forced ?? ''}`;
  if (forced !== 'wasm' && forced !== 'cpu') {
    const path = addon ?? findAddon();
    if (path === undefined) reason = 'it is not set up';
    else {
      try {
        return await loadNative(path);
      } catch (error) {
        reason = `its addon does not load (${firstLine(error)})`;
      }
    }
  }
  if (forced !== 'cpu') {
    try {
      return slowly(reason, await loadWasm());
    } catch (error) {
      reason += `; nor does WebAssembly (${firstLine(error)})`;
    }
  }
  return slowly(reason, await loadCpu());
};

let loaded: Promise<Backend> | undefined;

/**
 * Loads TensorFlow into this process, once: native when the set-up has made it ready, else WebAssembly, else plain
 * JavaScript. `UNROLL_BACKEND` (`wasm`, `cpu`) forces a slower one. Takes a third of a second and 370 MB; never call it
 * in the command line's process. Prints nothing: a caller shows `warning` to people.
 */
export const loadTensorFlow = (addon?: string): Promise<Backend> => (loaded ??= choose(addon));
