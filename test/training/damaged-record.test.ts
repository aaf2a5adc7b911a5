import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  checkpointPath,
  readCheckpoint,
  writeCheckpoint,
  type TrainerTensors,
} from '../../src/training/checkpoint.ts';
import type { Run } from '../../src/plan/plan.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { readTensors, writeTensors } from '../../src/system/safetensors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { metricsIn, toyRun, trainUntil } from '../support/toy-training.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const flip = (path: string, byte: number, bit = 0): void => {
  const bytes = readFileSync(path);
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes);
};

test('a flipped bit in any byte of a checkpoint is noticed', async () => {
  await loadTensorFlow();
  const directory = temporaryDirectory();
  const tensors: TrainerTensors = new Map([['weights/w', tf.tensor1d([0.5, -2])]]);
  const label = {
    state: { step: 3, best: { value: Infinity, step: 2 } },
    run: 'aaaaaaaaaaaa',
    metrics: { lines: 4, sha256: 'ab' },
  };
  writeCheckpoint(directory, { name: 'last', tensors, label });
  const read = () => readCheckpoint(directory, { name: 'last', tensors, run: label.run });
  expect(read()).toMatchObject({ state: label.state, metrics: label.metrics });
  const path = checkpointPath(directory, 'last');
  const whole = readFileSync(path);
  const unnoticed: string[] = [];
  for (let byte = 0; byte < whole.length; byte++) {
    writeFileSync(path, whole);
    flip(path, byte, byte % 8);
    const found = read();
    if (!found || !('unusable' in found)) unnoticed.push(`byte ${byte}, bit ${byte % 8}`);
  }
  expect(unnoticed).toEqual([]);
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(path, whole.subarray(0, length));
    expect(read(), `${length} bytes`).toHaveProperty('unusable');
  }
});

describe('a run resumed from a damaged record ends as one that was never disturbed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-damaged-'));
  let run: Run;
  let calm: string;
  let stopped: string;

  // Evaluations improve at first, so that `best` is written; checkpoints at 4, 8, 12, 16; stopped after step 18.
  beforeAll(async () => {
    run = await toyRun(folder, {
      model: 'name: simple-rnn, hiddenSize: 3',
      optimizer: 'name: adam, learningRate: 0.02',
      train:
        'steps: 20, evaluateEvery: 4, checkpointEvery: 4, keepCheckpoints: all, earlyStopping: { patience: 9 }',
    });
    calm = join(folder, 'calm', run.id);
    stopped = join(folder, 'stopped', run.id);
    expect((await trainUntil(run, calm, Infinity)).reason).toBe('completed');
    let step = 0;
    await trainUntil(run, stopped, Infinity, {
      listen: (event) => {
        if (event.type === 'step-logged') step = event.step;
        if (step === 18 && event.type === 'step-logged') throw new Error('killed');
      },
    });
    expect(readdirSync(join(stopped, 'checkpoints')).sort()).toEqual([
      'best.safetensors',
      'last.safetensors',
      ...['04', '08', '12', '16'].map((at) => `step-0000${at}.safetensors`),
    ]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const weights = (directory: string) => readFileSync(join(directory, 'model', 'weights.safetensors'));

  const resume = async (damage: (directory: string) => void) => {
    const directory = join(temporaryDirectory(), run.id);
    cpSync(stopped, directory, { recursive: true });
    damage(directory);
    const heard: string[] = [];
    let from: number | undefined;
    const outcome = await trainUntil(run, directory, Infinity, {
      listen: (event) => {
        if (event.type === 'record-distrusted') heard.push(event.message);
        if (event.type === 'training-started') from = event.fromStep;
      },
    });
    expect(outcome.reason).toBe('completed');
    expect(metricsIn(directory)).toEqual(metricsIn(calm));
    expect(weights(directory).equals(weights(calm))).toBe(true);
    const log = readFileSync(join(directory, 'log.txt'), 'utf8');
    for (const message of heard) expect(log).toContain(`warning: ${message}`);
    return { heard, from };
  };

  const inCheckpoint = (name: string) => (directory: string) =>
    join(directory, 'checkpoints', `${name}.safetensors`);
  const last = inCheckpoint('last');
  const metrics = (directory: string) => join(directory, 'metrics.jsonl');
  const editLines = (edit: (lines: string[]) => string[]) => (directory: string) => {
    const lines = readFileSync(metrics(directory), 'utf8').trimEnd().split('\n');
    writeFileSync(
      metrics(directory),
      edit(lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
  };

  test('undamaged, it resumes after the last checkpoint and warns of nothing', async () => {
    expect(await resume(() => undefined)).toEqual({ heard: [], from: 16 });
  });

  test.each<[string, (directory: string) => void, number]>([
    [
      'a flipped bit of a weight',
      (directory) => flip(last(directory), readFileSync(last(directory)).length - 3),
      16,
    ],
    ['a flipped bit of the header', (directory) => flip(last(directory), 30), 16],
    ['half a file', (directory) => truncateSync(last(directory), 300), 16],
    ['an empty file', (directory) => truncateSync(last(directory)), 16],
    [
      'both checkpoints of the last step',
      (directory) => {
        flip(last(directory), 700);
        flip(inCheckpoint('step-000016')(directory), 500);
      },
      12,
    ],
    [
      'a checkpoint of another run',
      (directory) => {
        const other = readTensors(last(directory));
        writeTensors(last(directory), { ...other, metadata: { ...other.metadata, run: 'bbbbbbbbbbbb' } });
      },
      16,
    ],
    ['a flipped bit of the best weights', (directory) => flip(inCheckpoint('best')(directory), 600), 0],
    ['the best weights removed', (directory) => rmSync(inCheckpoint('best')(directory)), 0],
    ['an emptied metrics.jsonl', (directory) => truncateSync(metrics(directory)), 0],
    ['half of metrics.jsonl', editLines((lines) => lines.slice(0, 12)), 8],
    [
      'an edited line',
      editLines((lines) =>
        lines.map((line, at) => (at === 11 ? line.replace(/"train\/loss":\d/, '"train/loss":7') : line)),
      ),
      8,
    ],
    [
      'a doubled line',
      editLines((lines) => lines.flatMap((line, at) => (at === 6 ? [line, line] : [line]))),
      4,
    ],
    ['a removed line', editLines((lines) => lines.filter((_, at) => at !== 6)), 4],
    [
      'two lines in the wrong order',
      editLines(([first = '', second = '', ...rest]) => [second, first, ...rest]),
      0,
    ],
  ])('%s', async (_what, damage, from) => {
    const resumed = await resume(damage);
    expect(resumed.from).toBe(from);
    expect(resumed.heard.length).toBeGreaterThan(0);
  });

  test.each<[string, (lines: string[]) => string[]]>([
    [
      'edited',
      (lines) =>
        lines.map((line, at) => (at === 20 ? line.replace(/"train\/loss":\d/, '"train/loss":7') : line)),
    ],
    ['doubled', (lines) => [...lines, lines.at(-1) ?? '']],
    ['damaged', (lines) => lines.map((line, at) => (at === 20 ? '\0\0\0' : line))],
  ])('a line after the last checkpoint that is %s', async (_what, edit) => {
    const { heard, from } = await resume(editLines(edit));
    expect(from).toBe(16);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain('of metrics.jsonl');
  });

  test('a checkpoint of Unroll 0.1, without a checksum, is still resumed from', async () => {
    const resumed = await resume((directory) => {
      for (const name of ['last', 'best']) {
        const path = inCheckpoint(name)(directory);
        const { tensors, metadata } = readTensors(path);
        writeTensors(path, { tensors, metadata: { state: metadata['state'] ?? '' } });
      }
    });
    expect(resumed).toEqual({ heard: [], from: 16 });
  });
});
