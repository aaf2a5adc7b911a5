import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fitRun, type Equipment } from '../../src/executor/bullmq/fitness.ts';
import { portableRun } from '../../src/executor/bullmq/portable-run.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { registry } from '../../src/registry/rows.ts';
import { ageFile } from '../support/age-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const counters = '/proc/self/io';

/** Bytes that this process has read so far. */
const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync(counters, 'utf8'))?.[1]);

test.skipIf(!existsSync(counters))(
  'a worker reads its data once for all runs of a sweep, and again when the file has changed',
  async () => {
    const folder = temporaryDirectory();
    const dataDirectory = join(folder, 'data');
    mkdirSync(dataDirectory);
    const rows = Array.from({ length: 60_000 }, (_, at) => `${at >> 1},0.${at},${at & 2 ? 'up' : 'down'}\n`);
    const table = `id,x,label\n${rows.join('')}`;
    for (const path of [join(folder, 'rows.csv'), join(dataDirectory, 'rows.csv')]) {
      writeFileSync(path, table);
      ageFile(path);
    }
    const spec = join(folder, 'spec.yaml');
    writeFileSync(
      spec,
      `
version: 1
name: fitness
dataset: { name: csv-sequences, file: rows.csv, sequence: id, features: [x], targets: [label] }
model: { name: gru, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 4, steps: 5 }
seeds: 3
`,
    );
    const plan = await planExperiment(spec, { cores: 2 });
    if (!plan.ok) throw new Error(plan.errors[0]?.message);
    const equipment: Equipment = {
      registry,
      bundle: undefined,
      dataDirectory,
      workDirectory: folder,
      store: undefined,
      sharedData: undefined,
    };
    const read: number[] = [];
    for (const run of plan.value.runs) {
      const before = bytesRead();
      expect(await fitRun(portableRun(run), equipment)).toMatchObject({ baseDirectory: dataDirectory });
      read.push(bytesRead() - before);
    }
    expect(read[0]).toBeGreaterThan(table.length);
    for (const later of read.slice(1)) expect(later).toBeLessThan(table.length / 10);

    writeFileSync(join(dataDirectory, 'rows.csv'), `${table}99999,0.5,up\n`);
    const [run] = plan.value.runs;
    if (!run) throw new Error('no run');
    expect(await fitRun(portableRun(run), equipment)).toMatchObject({ kind: 'other-data' });
  },
);
