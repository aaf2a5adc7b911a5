import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';
import { succeed } from './processes.ts';
import type { Quartiles } from './statistics.ts';

/** What bench/mlflow-cost.ts finds of one server. */
export interface RecordCost {
  /** To no tracking, pair by pair. */
  readonly wall: Quartiles;
  readonly cpu: Quartiles;
  /** Part of the wall time in which the training was ready to go on and another process had its core. */
  readonly waited: Quartiles;
  /** Processor time of the others meanwhile. */
  readonly uploaderSeconds: Quartiles;
  readonly serverSeconds: Quartiles;
}

/** What bench/mlflow-cost.ts prints. */
export interface RecordResult {
  readonly rounds: number;
  readonly steps: number;
  readonly millisecondsPerStep: number;
  readonly ratios: Readonly<Record<string, RecordCost>>;
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
