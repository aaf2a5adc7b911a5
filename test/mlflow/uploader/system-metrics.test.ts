import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  openSampler,
  openSystemJournal,
  samplingSettings,
} from '../../../src/mlflow/uploader/system-metrics.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('the load has the names of the Python client and sensible values', () => {
  const sample = openSampler().sample();
  const percent = sample['system/system_memory_usage_percentage'] ?? -1;
  expect(percent).toBeGreaterThan(0);
  expect(percent).toBeLessThan(100);
  expect(Object.keys(sample).every((key) => key.startsWith('system/'))).toBe(true);
});

test('a journal goes on with its steps, and cuts a torn line off', () => {
  const path = join(temporaryDirectory(), 'system.jsonl');
  openSystemJournal(path).append(1, { a: 1 });
  appendFileSync(path, '{"step":1,"ti');
  const again = openSystemJournal(path);
  again.append(2, { a: 2 });
  again.append(3, { a: 3 });
  const steps = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { step: number }).step);
  expect(steps).toEqual([0, 1, 2]);
});

test('sampling follows the variables of MLflow', () => {
  expect(samplingSettings({})).toEqual({ enabled: true, everyMs: 10_000 });
  expect(
    samplingSettings({
      MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING: 'false',
      MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL: '2',
    }),
  ).toEqual({ enabled: false, everyMs: 2000 });
});
