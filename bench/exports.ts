/**
 * Compares exported models with ONNX (checker and ONNX Runtime of Python), PyTorch and Keras on 1,000 examples each, for
 * every pair of a cell and a kind of data. Writes what agreed to test/fixtures/exports.json, which a test compares with the
 * files of today (a change of an export asks for a new comparison), and a summary to bench/results/exports.md.
 *
 *     node bench/run.mjs exports.ts [PYTHON]
 *
 * PYTHON has the packages of bench/peers/exports.txt; without it they are installed into the per-user cache.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toOnnx } from '../src/export/onnx/to-onnx.ts';
import { writeTensors } from '../src/system/safetensors.ts';
import { packageRoot } from '../src/system/package-root.ts';
import { loadTensorFlow } from '../src/tensorflow/load.ts';
import { digestOfModule, moduleOf } from '../test/support/exported-modules.ts';
import { pairs, trainedCase } from '../test/support/trained-models.ts';
import { writeExportsReport } from './suite/exports-report.ts';
import { peersFolder, pythonOf } from './suite/peers.ts';

const examples = 1000;
const folder = mkdtempSync(join(tmpdir(), 'unroll-exports-'));
await loadTensorFlow();

const digests: string[] = [];
for (let number = 0; number < pairs; number++) {
  const trained = await trainedCase(number, examples);
  const { model, weights, inputs, lengths, series, outputs, predictions, columns, time } = trained;
  const at = join(folder, String(number));
  mkdirSync(at);
  const bytes = (name: string, values: ArrayBufferView | undefined) => {
    if (values)
      writeFileSync(
        join(at, `${name}.bin`),
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      );
  };
  const onnx = toOnnx(model, weights);
  if ('impossible' in onnx) throw new Error(onnx.impossible);
  writeFileSync(join(at, 'model.onnx'), Buffer.concat(onnx.pieces));
  const module = moduleOf(trained);
  writeFileSync(join(at, 'model.py'), module.python);
  writeTensors(join(at, 'model.safetensors'), { tensors: module.tensors, metadata: {} });
  writeTensors(join(at, 'weights.safetensors'), { tensors: weights, metadata: {} });
  for (const [name, values] of Object.entries({ inputs, lengths, series, outputs, predictions }))
    bytes(name, values);
  writeFileSync(
    join(at, 'case.json'),
    JSON.stringify({ model, title: trained.title, examples, time, columns }),
  );
  digests.push(digestOfModule(module));
}

const python = process.argv[2] ?? pythonOf('exports');
const { status } = spawnSync(
  python,
  [
    join(peersFolder, 'exports.py'),
    folder,
    join(packageRoot, 'test', 'fixtures', 'exports.json'),
    JSON.stringify(digests),
  ],
  { stdio: 'inherit', env: { ...process.env, KERAS_BACKEND: 'torch', CUDA_VISIBLE_DEVICES: '' } },
);
rmSync(folder, { recursive: true });
if (status === 0) writeExportsReport();
process.exitCode = status ?? 1;
