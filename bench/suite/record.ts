import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.ts';
import { succeed } from './processes.ts';

/** What bench/mlflow-cost.ts prints. */
export interface RecordResult {
  readonly rounds: number;
  readonly steps: number;
  readonly millisecondsPerStep: number;
  readonly ratios: Readonly<Record<string, { readonly wall: number; readonly cpu: number }>>;
}

/** 1,000 logged steps with the uploader sending to a local MLflow server, against none. */
export const measureRecording = (rounds: number): RecordResult =>
  JSON.parse(
    succeed(process.execPath, [
      join(packageRoot, 'bench', 'run.mjs'),
      'mlflow-cost.ts',
      String(rounds),
      '1000',
    ])
      .trim()
      .split('\n')
      .at(-1) ?? '',
  ) as RecordResult;
