import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { execute } from '../../src/cli/commands/export.ts';
import type { Diagnostic } from '../../src/diagnostic/diagnostic.ts';
import { exportFormats, type ExportFormat } from '../../src/export/formats.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { digestOfModule, moduleOf } from '../support/exported-modules.ts';
import { writeModelFolder } from '../support/model-folder.ts';
import { largestDifference } from '../support/networks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { trainedCase, type TrainedCase } from '../support/trained-models.ts';

await loadTensorFlow();

const writeModel = (trained: TrainedCase): string => {
  const folder = temporaryDirectory('model');
  writeModelFolder(folder, trained);
  return folder;
};

const run = async (model: string, given: { format: ExportFormat; output: string; force?: boolean }) => {
  const errors: Diagnostic[] = [];
  const lines: string[] = [];
  const terminal: Terminal = {
    print: (line) => lines.push(line),
    complain: (line) => lines.push(line),
    data: (text) => lines.push(text),
    report: (found) => errors.push(...found),
    refuse: (found) => (errors.push(...found), 2),
    commandLine: '',
  };
  const code = await execute([model], { runsDirectory: temporaryDirectory(), ...given }, terminal);
  return { code, errors, lines };
};

/** The code of a README. */
const exampleIn = (folder: string): string =>
  /```\w+\n([\s\S]*?)```/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1] ?? '';

it('writes each format, and replaces nothing without --force', async () => {
  const model = writeModel(await trainedCase(0, 4));
  for (const format of exportFormats) {
    const output = join(temporaryDirectory('export'), 'new', format);
    expect(await run(model, { format, output })).toMatchObject({ code: 0, errors: [] });
    const again = await run(model, { format, output });
    expect(again.code).toBe(2);
    expect(again.errors[0]).toMatchObject({ code: 'file-exists' });
    expect(again.errors[0]?.message).toContain('README.md');
    expect((await run(model, { format, output, force: true })).code).toBe(0);
    expect(exampleIn(output).split('\n').length).toBeLessThan(14);
  }
});

it('has the names of classes and targets in the README, as code of one line', async () => {
  const readmeOf = async (trained: TrainedCase) => {
    const output = join(temporaryDirectory('export'), 'onnx');
    await run(writeModel(trained), { format: 'onnx', output });
    return readFileSync(join(output, 'README.md'), 'utf8');
  };
  const labelled = await trainedCase(0, 4);
  const { shape } = labelled.model;
  const task = { kind: 'classification', classes: 3, labels: ['a', 'b\n# `c`\u202e', 'd'] } as const;
  const named = { ...labelled, model: { ...labelled.model, shape: { ...shape, task } } };
  expect(await readmeOf(named)).toContain(
    '\n\nThe classes, in their order: `"a"`, `"b\\n# \\u0060c\\u0060\\u202e"`, `"d"`.\n',
  );
  expect(await readmeOf(await trainedCase(9, 4))).toContain('\nThe targets, in their order: `"a"`, `"b"`.\n');
  expect(await readmeOf(await trainedCase(1, 4))).not.toContain('in their order');
});

it('refuses a model that is not built in, but for its weights', async () => {
  const trained = await trainedCase(0, 4);
  const model = writeModel({
    ...trained,
    model: { ...trained.model, model: { name: 'mine', parameters: {} } },
  });
  for (const format of exportFormats) {
    const { code, errors } = await run(model, { format, output: join(temporaryDirectory(), format) });
    if (format === 'safetensors') expect(code).toBe(0);
    else expect(errors).toMatchObject([{ code: 'not-exportable', severity: 'error' }]);
  }
});

// Tokens with lengths, a table, a series by its place, and plain numbers.
it.each([1, 2, 4, 13])('has a README for ONNX Runtime that runs, case %i', async (number) => {
  const folder = temporaryDirectory('onnx');
  const output = join(folder, 'export');
  await run(writeModel(await trainedCase(number, 4)), { format: 'onnx', output });
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(output, 'example.mjs'), exampleIn(output));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
    cwd: output,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/logits|predictions/);
});

test.skipIf(skipWithoutChromium)(
  'has a graph model that a browser runs with plain TensorFlow.js',
  async () => {
    const trained = await trainedCase(1, 16);
    const output = temporaryDirectory('tfjs');
    await run(writeModel(trained), { format: 'tfjs', output });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const printed: string[] = [];
      page.on('console', (message) => printed.push(message.text()));
      await page.route('http://model.test/**', (route) => {
        const name = new URL(route.request().url()).pathname.slice(1);
        return name === ''
          ? route.fulfill({ contentType: 'text/html', body: '<title>model</title>' })
          : route.fulfill({ path: join(output, name) });
      });
      await page.goto('http://model.test/');
      const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js');
      await page.addScriptTag({ path: tfjs });
      await page.evaluate(`(async () => {\n${exampleIn(output)}\n})()`);
      expect(printed.join('\n')).toContain('probabilities');
      const { inputs, lengths, examples, time } = trained;
      const found = await page.evaluate<number[]>(`(async () => {
      const model = await tf.loadGraphModel('model.json');
      const [logits] = await model.executeAsync({
        inputs: tf.tensor2d(${JSON.stringify([...inputs])}, [${examples}, ${time}], 'int32'),
        ${lengths ? `lengths: tf.tensor1d(${JSON.stringify([...lengths])}, 'int32'),` : ''}
      });
      return [...logits.dataSync()];
    })()`);
      expect(largestDifference(found, trained.outputs)).toBeLessThan(1e-5);
    } finally {
      await browser.close();
    }
  },
);

interface Compared {
  readonly limit: number;
  readonly cases: readonly { readonly sha256: string; readonly torch: number; readonly onnx: number }[];
}

it('writes the modules that PyTorch was compared with', async () => {
  const path = join(packageRoot, 'test', 'fixtures', 'exports.json');
  const { cases, limit } = JSON.parse(readFileSync(path, 'utf8')) as Compared;
  for (const number of [0, 3, 4, 5, 6, 9, 10, 12, 24]) {
    const trained = await trainedCase(number, 4);
    const compared = cases[number];
    expect(compared?.torch).toBeLessThan(limit);
    expect(
      digestOfModule(moduleOf(trained)),
      `${trained.title}: the export has changed; run node bench/run.mjs exports.ts`,
    ).toBe(compared?.sha256);
  }
});
