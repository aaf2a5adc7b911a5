import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRig, until } from '../support/rig.ts';
import { sharedDirectory } from '../support/temporary-directory.ts';

const rig = createRig({}, sharedDirectory());
const loaded = join(rig.directory, 'loaded.json');
rig.write(
  'loaded.cjs',
  `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(loaded)},
  JSON.stringify(process.report.getReport().sharedObjects)));`,
);
const watched = createRig({ NODE_OPTIONS: `--require ${join(rig.directory, 'loaded.cjs')}` }, rig.directory);
rig.write('rows.jsonl', [1, 2, 3].map((row) => JSON.stringify({ inputs: [row, 0.5, -row] })).join('\n'));

/** The shared libraries that `predict` and `serve` load for a model with a readout. */
const librariesFor = async (readout: string): Promise<readonly string[]> => {
  rig.write(
    `${readout}.yaml`,
    `version: 1
name: ${readout}
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: lstm, hiddenSize: 4, readout: ${readout} }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 10, displayEvery: 5 }
run: { concurrency: 1, threadsPerRun: 1 }
`,
  );
  const trained = await rig.unroll('run', `${readout}.yaml`, '--no-mlflow');
  expect(trained.code, trained.stderr).toBe(0);
  const predicted = await watched.unroll('predict', `best:${readout}`, '--input', 'rows.jsonl');
  expect(predicted.code, predicted.stderr).toBe(0);
  expect(predicted.stdout.trim().split(/\r?\n/)).toHaveLength(4);
  const ofPredict = readFileSync(loaded, 'utf8');
  const { process: server, finished } = watched.start('serve', `best:${readout}`, '--port', '0');
  let shown = '';
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (text: string) => (shown += text));
  const [, url = ''] = await until(() => {
    if (server.exitCode !== null) throw new Error(shown);
    return /Serving .* on (http:\S+)/.exec(shown);
  });
  const answer = await fetch(`${url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: readFileSync(join(rig.directory, 'rows.jsonl')),
  });
  expect(answer.status).toBe(200);
  server.kill('SIGTERM');
  expect(await finished).toMatchObject({ code: 0 });
  return [ofPredict, readFileSync(loaded, 'utf8')];
};

test('predict and serve load TensorFlow only for a model that needs it', async () => {
  for (const own of await librariesFor('last')) {
    expect(own).toContain('unroll_kernels');
    expect(own).not.toMatch(/libtensorflow|tfjs_binding/);
  }
  for (const composed of await librariesFor('mean')) expect(composed).toMatch(/libtensorflow_cc/);
});
