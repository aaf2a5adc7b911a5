import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startSampling } from '../../../src/mlflow/uploader/sample-runs.ts';
import { processIdentity } from '../../../src/system/process-identity.ts';
import { makePlan, writeRunDirectory } from '../../support/run-directories.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

test('each run in training is sampled from half an interval after its start, and not after its end', async () => {
  vi.stubEnv('MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL', '1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const runsDirectory = temporaryDirectory();
  const plan = makePlan({ axes: { 'model.hiddenSize': [8, 16] } });
  const [first, second] = plan.runs;
  if (!first || !second) throw new Error('no runs');
  const start = (run: typeof first) =>
    join(
      writeRunDirectory(runsDirectory, run, {
        state: 'running',
        // No metric line yet.
        detail: false,
        startedAt: Date.now(),
        holder: processIdentity(),
      }),
      'system.jsonl',
    );
  const times = (path: string) =>
    (existsSync(path) ? readFileSync(path, 'utf8') : '')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { time: number }).time);

  onTestFinished(startSampling(runsDirectory, () => plan));
  const startedAt = Date.now();
  const sampled = start(first);
  await until(() => times(sampled).length === 1);
  expect(times(sampled)[0]).toBeGreaterThanOrEqual(startedAt + 500);
  writeRunDirectory(runsDirectory, first, { state: 'completed' });
  const atEnd = times(sampled);
  const other = start(second);
  await until(() => times(other).length === 3);
  expect(times(sampled)).toEqual(atEnd);
});
