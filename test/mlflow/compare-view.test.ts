import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { skipWithoutChromium } from '../support/chromium.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { createRig } from '../support/rig.ts';

const missing = await whyNoMlflow();

const spec = `version: 1
name: compare-view
dataset: { name: mnist-rows, trainSize: 3000, validationSize: 500 }
model: { name: lstm, hiddenSize: 16 }
optimizer: { name: adam, learningRate: 0.003 }
train: { batchSize: 64, steps: 40, displayEvery: 4 }
objective: { metric: test/accuracy, goal: maximize }
sweep:
  axes:
    optimizer.learningRate: [0.001, 0.003, 0.01, 0.03]
    model.hiddenSize: [8, 16, 24]
run: { concurrency: 2, threadsPerRun: 1 }
`;

describe.skipIf(missing !== undefined)(
  'the real program, a sweep of 12 runs on MNIST, the real server',
  () => {
    const server = realServer();
    beforeAll(() => server.start());

    test(
      'is recorded exactly, and the printed link shows what leads to the objective',
      { timeout: 600_000 },
      async () => {
        const rig = createRig({
          MLFLOW_TRACKING_URI: server.uri(),
          MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL: '1',
        });
        const trained = await rig.unroll('run', rig.write('spec.yaml', spec));
        expect(trained.stderr + trained.stdout).not.toMatch(/not on the server|uploader ended|cannot be/);
        expect(trained.code).toBe(0);
        const link = /Compare in MLflow: (\S+)/.exec(trained.stdout)?.[1] ?? '';
        expect(link).toContain(`${server.uri()}/#/experiments/`);

        const synced = await rig.unroll('sync', '--verify', '--json');
        expect(synced.stderr).toContain('equal on the server');
        expect(JSON.parse(synced.stdout)).toMatchObject({
          runs: 12,
          complete: 12,
          points: 0,
          verified: 12,
          differences: [],
        });

        if (skipWithoutChromium) {
          process.stderr.write('The page is not looked at: no Chromium is installed.\n');
          return;
        }
        const picture = join(packageRoot, 'test-results', 'mlflow-compare.png');
        const looked = spawnSync(
          process.execPath,
          [join(packageRoot, 'scripts', 'screenshot-mlflow.mjs'), link, picture],
          {
            encoding: 'utf8',
            timeout: 300_000,
          },
        );
        expect(looked.stderr).toBe('');
        const page = JSON.parse(looked.stdout) as { text: string; chartTexts: string[]; lines: number };
        expect(page.text).toContain('12 matching runs');
        expect(page.text).toContain('lr1e-3 hs8');
        expect(page.text).toContain('Learning curves');
        expect(page.text).toContain('Parallel Coordinates');
        expect(page.chartTexts).toEqual(
          expect.arrayContaining(['optimizer.learningRate', 'model.hiddenSize', 'test/accuracy']),
        );
        // One line a run in each of the two charts of curves.
        expect(page.lines).toBeGreaterThanOrEqual(24);
        expect(existsSync(picture)).toBe(true);
      },
    );
  },
);
