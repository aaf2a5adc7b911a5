import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as core from '@tensorflow/tfjs-core';
import { loadingShortage } from '../system/system-error.ts';
import { findAddon } from './find-addon.ts';
import { damagedFile, doctorHint } from './installation.ts';
import { registerGradients, registerNativeBackend } from './internals.ts';
import { ownLibrary } from './kernels/own-library.ts';

/** The back end of tfjs in this process. */
export interface Backend {
  readonly name: 'tensorflow' | 'wasm' | 'cpu';
  /** Version of the library behind it, such as `2.21.0`. */
  readonly version: string;
  /** Why native TensorFlow is not used, what that costs and how to fix it; absent when it is used. */
  readonly warning?: string;
}

const require = createRequire(import.meta.url);

/** What TensorFlow prints while it is loaded on a processor with AVX512-VNNI or newer, whatever its log level is. */
const greeting = /absl::InitializeLog|oneDNN custom operations/;

/** Loads an addon; of what it prints meanwhile on standard error, everything but TensorFlow's greeting follows afterwards. */
const requireQuietly = (addon: string): unknown => {
  const own = ownLibrary();
  if (!own.available) return require(addon);
  own.library.holdErrors();
  try {
    return require(addon);
  } finally {
    const lines = own.library.releaseErrors().split('\n');
    const rest = lines.filter((line) => !greeting.test(line)).join('\n');
    if (rest !== '') writeSync(process.stderr.fd, rest);
  }
};

const loadNative = async (addon: string): Promise<Backend> => {
  // Without this, TensorFlow greets on standard error.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const version = await registerNativeBackend(requireQuietly(addon));
  await core.setBackend('tensorflow');
  return { name: 'tensorflow', version };
};

const loadWasm = async (): Promise<Backend> => {
  await registerGradients();
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(
    join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + '/',
  );
  // Its threads are workers that would keep the process from ending.
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await core.setBackend('wasm'))) throw new Error('the WebAssembly back end cannot start');
  return { name: 'wasm', version: wasm.version_wasm };
};

const loadCpu = async (): Promise<Backend> => {
  await registerGradients();
  await import('@tensorflow/tfjs-backend-cpu');
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
  let reason = `UNROLL_BACKEND is ${forced ?? ''}`;
  if (forced !== 'wasm' && forced !== 'cpu') {
    const path = addon ?? findAddon();
    const damaged = addon === undefined ? damagedFile() : undefined;
    if (damaged !== undefined) reason = `${damaged} is missing or damaged`;
    else if (path === undefined) reason = 'it is not set up';
    else {
      try {
        return await loadNative(path);
      } catch (error) {
        const shortage = loadingShortage(error, path);
        if (shortage) throw shortage;
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
 * Loads TensorFlow into this process, once: native if the set-up has made it ready, else WebAssembly, else plain
 * JavaScript. `UNROLL_BACKEND` (`wasm`, `cpu`) forces a slower one. Takes a third of a second and 370 MB; the
 * command line's process calls it only to use a model. Prints nothing: the caller shows `warning`. Rejects with a system error if there is too
 * little memory or too few descriptors: a slower one would give other bits, and the next process may succeed.
 */
export const loadTensorFlow = (addon?: string): Promise<Backend> => (loaded ??= choose(addon));
