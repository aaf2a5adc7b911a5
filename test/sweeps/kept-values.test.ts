import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { readCursor } from '../../src/mlflow/sync/cursor.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { SequenceShape } from '../../src/data/dataset.ts';
import { readTensors } from '../../src/system/safetensors.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import type { Comparison } from '../../src/report/compare.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import type { AnyParameters, CellName } from '../support/networks.ts';
import { plainForward, type PlainNetwork } from '../support/plain-network.ts';
import { createRig, type Rig } from '../support/rig.ts';

/**
 * Whatever needs one value of a run is checked against an independent computation: the kept weights are read from disk,
 * the examples from the CSV files, and plain loops in double precision compute the metrics.
 */

const classes = ['falling', 'rising'];
const steps = 4;
const features = 2;

interface Example {
  readonly values: readonly number[];
  readonly label: string;
}

/** Weak signal and wrong labels, so that training soon makes the validation loss worse. */
const examples = (part: string, size: number): readonly Example[] => {
  const random = randomStream(15, 'kept-values', part);
  return Array.from({ length: size }, () => {
    const slope = random.normal() * 0.3;
    const values = Array.from({ length: steps * features }, (_, at) =>
      Number((slope * Math.floor(at / features) + random.normal()).toFixed(3)),
    );
    const isRising = slope > 0 !== random.uniform() < 0.2;
    return { values, label: isRising ? 'rising' : 'falling' };
  });
};

const parts = {
  training: examples('training', 48),
  val: examples('validation', 60),
  test: examples('test', 70),
};

const csv = (rows: readonly Example[]): string => {
  const header = ['trend', ...Array.from({ length: steps * features }, (_, at) => `x${at}`)];
  return [header, ...rows.map(({ values, label }) => [label, ...values])]
    .map((row) => `${row.join()}\n`)
    .join('');
};

const dataset =
  '{ name: csv-sequences, file: training.csv, validationFile: val.csv, testFile: test.csv, layout: wide, ' +
  `targets: [trend], featuresPerStep: ${features}, standardize: false }`;

/** Runs that restore the weights of their best evaluation, chosen by tpe. */
const searched = (more = '') => `
version: 1
name: searched
dataset: ${dataset}
model: { name: lstm, hiddenSize: 6 }
optimizer: { name: adam }
train: { batchSize: 16, steps: 120, displayEvery: 7, evaluateEvery: 5, earlyStopping: { patience: 4 } }
objective: { metric: val/loss }
sweep: { method: tpe, samples: 6, lookahead: 2, axes: { optimizer.learningRate: { logUniform: [0.02, 0.2] } } }
run: { concurrency: 2, threadsPerRun: 1 }
${more}
`;

/** Runs that keep their last weights: one with the best as a checkpoint, others that are evaluated at the end only. */
const grid = `
version: 1
name: grid
dataset: ${dataset}
model: { name: gru, hiddenSize: 5 }
optimizer: { name: adam, learningRate: 0.05 }
train: { batchSize: 16, steps: 30, displayEvery: 7, evaluateEvery: 8 }
objective: { metric: val/accuracy }
sweep:
  axes: { model.name: [gru, simple-rnn] }
  zip: [{ train.keepCheckpoints: [best, last, last], train.evaluateEvery: [8, null, 1000] }]
run: { concurrency: 2, threadsPerRun: 1 }
`;

/** The metrics of the weights in `model/weights.safetensors`. */
const recomputed = (rig: Rig, experiment: string, id: string): Record<string, number> => {
  const read = (...path: string[]) => readFileSync(rig.runPath(experiment, id, ...path), 'utf8');
  const { config } = JSON.parse(read('run.json')) as Run;
  const { shape } = JSON.parse(read('model', 'model.json')) as { shape: SequenceShape };
  const labels = 'labels' in shape.task ? shape.task.labels : undefined;
  if (!labels) throw new Error('the classes have no labels');
  expect([...labels].sort()).toEqual(classes);
  const stored = readTensors(rig.runPath(experiment, id, 'model', 'weights.safetensors')).tensors;
  const network: PlainNetwork = {
    name: config.model.name as CellName,
    parameters: config.model as unknown as AnyParameters,
    perStep: false,
    weights: new Map(
      [...stored].map(([name, { shape, values }]) => [
        name.replace(/^weights\//, ''),
        { shape, values: Float64Array.from(values) },
      ]),
    ),
  };
  const metrics = Object.entries({ val: parts.val, test: parts.test }).map(([part, rows]) => {
    const answers = rows.map(({ values, label }) => {
      const sequence = Array.from({ length: steps }, (_, step) =>
        values.slice(step * features, (step + 1) * features),
      );
      const [logits = []] = plainForward(network, { steps: sequence, row: 0 });
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      const truth = labels.indexOf(label);
      return {
        truth,
        answer: logits.indexOf(Math.max(...logits)),
        loss: Math.log(total) - (logits[truth] ?? NaN),
      };
    });
    const f1 = labels.map((_, one) => {
      const hits = answers.filter(({ truth, answer }) => truth === one && answer === one).length;
      const involved =
        answers.filter(({ truth }) => truth === one).length +
        answers.filter(({ answer }) => answer === one).length;
      return involved === 0 ? 0 : (2 * hits) / involved;
    });
    const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
    return {
      [`${part}/loss`]: mean(answers.map(({ loss }) => loss)),
      [`${part}/accuracy`]: mean(answers.map(({ truth, answer }) => (truth === answer ? 1 : 0))),
      [`${part}/macroF1`]: mean(f1),
    };
  });
  return Object.assign({}, ...metrics) as Record<string, number>;
};

/** Equal to six digits: what single precision leaves of sums over a network. */
const expectClose = (found: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, number>>) => {
  for (const [metric, value] of Object.entries(wanted)) {
    expect(typeof found[metric], metric).toBe('number');
    expect(Math.abs((found[metric] as number) - value), metric).toBeLessThan(2e-6 * Math.max(1, value));
  }
};

const missing = await whyNoMlflow();
const server = missing === undefined ? realServer() : undefined;

describe('the values of a run are those of the weights that it keeps', () => {
  beforeAll(() => server?.start());

  /** Trains a sweep of six runs. Returns their ids, and what their kept weights give. */
  const trained = async (experiment: string, spec: string) => {
    const rig = createRig(server && { MLFLOW_TRACKING_URI: server.uri() });
    for (const [part, rows] of Object.entries(parts)) rig.write(`${part}.csv`, csv(rows));
    const { code, stdout, stderr } = await rig.unroll('run', rig.write('spec.yaml', spec));
    expect(code, stdout + stderr).toBe(0);
    const ids = rig.runIds(experiment);
    expect(ids).toHaveLength(6);
    const kept = new Map(ids.map((id) => [id, recomputed(rig, experiment, id)]));
    const valueOf = (id: string, metric: string): number => kept.get(id)?.[metric] ?? NaN;
    return { rig, experiment, ids, kept, valueOf };
  };
  type Trained = Awaited<ReturnType<typeof trained>>;

  const expectRecorded = ({ rig, experiment, ids, kept }: Trained) => {
    for (const id of ids) expectClose(rig.status(experiment, id).outcome?.metrics ?? {}, kept.get(id) ?? {});
  };

  const expectCompared = async ({ rig, experiment, kept, valueOf }: Trained) => {
    const { stdout } = await rig.unroll('compare', experiment, '--json');
    const { configurations, objective } = JSON.parse(stdout) as Comparison;
    const values = configurations.map(({ objective: summary, metrics, runs: [run] }) => {
      const id = run?.id ?? '';
      const { [objective.metric]: value = NaN, ...others } = kept.get(id) ?? {};
      expectClose({ mean: summary?.mean, value: run?.value }, { mean: value, value });
      expectClose(Object.fromEntries(Object.entries(metrics).map(([key, { mean }]) => [key, mean])), others);
      return valueOf(id, objective.metric);
    });
    expect(values).toHaveLength(6);
    const sign = objective.goal === 'maximize' ? -1 : 1;
    expect(values).toEqual([...values].sort((a, b) => sign * (a - b)));
  };

  /** What the server shows and sorts by: the last value of each metric. */
  const expectSent = async ({ rig, experiment, ids, kept }: Trained) => {
    if (!server) return;
    // Sends what a loaded machine left unsent at the end of the sweep.
    const synced = await rig.unroll('sync');
    expect(synced.code, synced.stderr).toBe(0);
    for (const id of ids) {
      const runId = readCursor(rig.runPath(experiment, id), server.uri())?.runId ?? '';
      const response = await fetch(`${server.uri()}/api/2.0/mlflow/runs/get?run_id=${runId}`);
      const { run } = (await response.json()) as {
        run: { data: { metrics: { key: string; value: number }[] } };
      };
      const listed = Object.fromEntries(run.data.metrics.map(({ key, value }) => [key, value]));
      expectClose(listed, kept.get(id) ?? {});
    }
  };

  const expectSearchedBy = ({ rig, experiment, valueOf }: Trained) => {
    const journalName = readdirSync(rig.runPath(experiment, 'sweeps')).find((name) =>
      name.endsWith('.decisions.jsonl'),
    );
    const path = rig.runPath(experiment, 'sweeps', journalName ?? '');
    const plan = listSweeps(`${rig.directory}/runs`).sweeps.find(
      (one) => one.path === path.replace('.decisions.jsonl', '.json'),
    )?.plan;
    const decisions = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { decision: number; point?: number; result?: number });
    const points = decisions.filter(({ point }) => point !== undefined);
    expect(points).toHaveLength(6);
    for (const { decision, point = NaN } of points) {
      const { result = NaN } = decisions.find((one) => one.decision === decision && 'result' in one) ?? {};
      // The sampler maximizes.
      expectClose({ result: -result }, { result: valueOf(plan?.runs[point]?.id ?? '', 'val/loss') });
    }
  };

  const expectHeldAgainstBounds = async ({ rig, ids, valueOf }: Trained) => {
    const values = ids.map((id) => valueOf(id, 'val/loss'));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const runWithin = (gte: number, lte: number) => {
      const bounds = `expect: [{ metric: val/loss, gte: ${gte}, lte: ${lte} }]`;
      return rig.unroll('run', rig.write('spec.yaml', searched(bounds)));
    };
    const met = await runWithin(low - 1e-5, high + 1e-5);
    expect(met.code, met.stdout).toBe(0);
    const missed = await runWithin(low + 1e-5, high - 1e-5);
    expect(missed.code).toBe(1);
    expect(missed.stdout.match(/val\/loss is [\d.]+, expected/g), missed.stdout).toHaveLength(2);
  };

  test('of the best evaluation, where they are restored: recorded, compared, searched by, expected and sent', async () => {
    const sweep = await trained('searched', searched());
    const { rig, ids, valueOf } = sweep;
    const lastEvaluation = (id: string): number =>
      Number(
        rig
          .metrics('searched', id)
          .map(({ metrics }) => metrics['val/loss'])
          .findLast((value) => value !== undefined),
      );
    const by = (value: (id: string) => number) => [...ids].sort((a, b) => value(a) - value(b));
    // Without these two, wrong values could pass.
    for (const id of ids) expect(lastEvaluation(id) - valueOf(id, 'val/loss'), id).toBeGreaterThan(0.01);
    expect(by(lastEvaluation)).not.toEqual(by((id) => valueOf(id, 'val/loss')));

    expectRecorded(sweep);
    for (const id of ids) {
      const { step = 0, keptStep } = rig.status('searched', id).outcome ?? {};
      expect(keptStep).toBe(step - 20);
    }
    await expectCompared(sweep);
    expectSearchedBy(sweep);
    await expectHeldAgainstBounds(sweep);
    await expectSent(sweep);
  });

  test('of the last step, where they are not, whatever is kept beside them and whenever they are evaluated', async () => {
    const sweep = await trained('grid', grid);
    expectRecorded(sweep);
    for (const id of sweep.ids) expect(sweep.rig.status('grid', id).outcome).toMatchObject({ keptStep: 30 });
    await expectCompared(sweep);
    await expectSent(sweep);
  });
});
