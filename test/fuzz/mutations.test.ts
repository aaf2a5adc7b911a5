import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { DataError } from '../../src/data/dataset.ts';
import { findDataFile } from '../../src/data/files.ts';
import { readIdx } from '../../src/data/idx.ts';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { documentOfText, loadSpec } from '../../src/language/load-spec.ts';
import type { Located } from '../../src/language/located.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { openClient } from '../../src/mlflow/client/client.ts';
import { connectionSettings } from '../../src/mlflow/client/settings.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { readFrozenPlan } from '../../src/record/frozen-plan.ts';
import { cutDamage, openSearchJournal } from '../../src/record/search-journal.ts';
import { parseMetricLine, parseRun, parseStatus } from '../../src/record/parse-run-files.ts';
import { RecordUnreadable } from '../../src/record/record-unreadable.ts';
import { writeTensors } from '../../src/system/safetensors.ts';
import { checkpointDamage } from '../../src/training/checkpoint.ts';
import { fuzz, grown, mutatedBytes, orRefused, type Input } from '../support/fuzz.ts';
import { mutated, type Random } from '../support/mutated.ts';

const spec = `version: 1
name: x
dataset: { name: csv-sequences, file: data.csv, sequence: s, targets: [y], features: [a] }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 1e-3 }
train: { steps: 10, batchSize: 4, earlyStopping: { metric: val/loss, patience: 2 } }
sweep:
  method: random
  samples: 4
  axes: { model.hiddenSize: [8, 16], optimizer.learningRate: { log: [1e-4, 1e-2], steps: 3 } }
  when: [{ if: { model.hiddenSize: 8 }, axes: { train.batchSize: [2, 4] } }]
  exclude: [{ model.hiddenSize: 16 }]
seeds: [1, 2]
tracking: { mlflow: { uri: "\${MLFLOW_TRACKING_URI:-http://localhost}" } }
expect: [{ metric: test/accuracy, gte: 0.5 }]
`;

const rows = (line: (sequence: number, step: number) => string) =>
  Array.from({ length: 60 }, (_, at) => line(Math.floor(at / 3), at % 3)).join('\n');

const csv = `s,a,y\n${rows((sequence, step) => `${sequence},${step / 10},${sequence % 2 ? 'p' : 'q'}`)}\n`;
const jsonl = rows((sequence, step) => `{"a":[[1,${step}],[2,3]],"y":"${sequence % 2 ? 'p' : 'q'}"}`);
const ofJsonl = spec.replace(
  /dataset: .*/,
  'dataset: { name: jsonl-sequences, layout: wide, file: data.jsonl, targets: [y] }',
);

const json = {
  run: JSON.stringify({ id: '0123456789ab', seed: 1, config: { model: { name: 'lstm' } }, versions: {} }),
  status: JSON.stringify({
    state: 'completed',
    outcome: { reason: 'completed', metrics: { a: 1 } },
    step: 3,
  }),
  line: JSON.stringify({ step: 1, time: 2, metrics: { 'train/loss': 0.5 } }),
  plan: JSON.stringify({
    experiment: 'x',
    sweepId: 'a',
    objective: {},
    execution: { threadsPerRun: 1 },
    tracking: {},
    spec: {},
    axes: [],
    expect: [],
    runs: [],
  }),
};

const searchLines = [
  { decision: 0, point: { 'model.hiddenSize': 8 } },
  { decision: 0, result: 0.5 },
]
  .map((line) => JSON.stringify(line))
  .join('\n');

/** Answers of MLflow's interface, with every part that the client reads. */
const answers = [
  {
    experiment: {
      experiment_id: '1',
      name: 'x',
      lifecycle_stage: 'active',
      tags: [{ key: 'a', value: 'b' }],
    },
  },
  {
    run: {
      info: {
        run_id: 'r',
        experiment_id: '1',
        start_time: '5',
        status: 'FINISHED',
        artifact_uri: 'mlflow-artifacts:/r',
      },
      data: {
        metrics: [{ key: 'm', value: 1 }],
        params: [{ key: 'p', value: 'v' }],
        tags: [{ key: 't', value: 'v' }],
      },
      inputs: { dataset_inputs: [{ tags: [], dataset: { name: 'd', digest: 'e' } }] },
    },
  },
  { runs: [{ info: { run_id: 'r', experiment_id: '1' }, data: {} }], next_page_token: 'n' },
  { metrics: [{ key: 'm', value: 'NaN', timestamp: '1', step: 2 }], next_page_token: '' },
  { models: [{ info: { model_id: 'm', status: 1, artifact_uri: 'a' } }] },
  { root_uri: 'x', files: [{ path: 'a/b', is_dir: false, file_size: '3' }] },
].map((answer) => JSON.stringify(answer));

const idx = Buffer.from([0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6]);

const words = [
  'validate',
  'show',
  'compare',
  'ls',
  'diff',
  'explain',
  '--json',
  '--set',
  '--only',
  'a.b=1',
  '-x',
  '--',
  '=',
  '*',
  '\u001b[2J',
  '',
  'spec.yaml',
  '--runs-directory',
  '--format',
  'github',
  '[',
  '--set=',
  'x=[',
  '999999999999',
];

/** Calls every reading function of the client on a server that answers with what is drawn. */
const askServer = async (random: Random) => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const body = mutated(answers[random.integer(answers.length)] ?? '', random);
      response.writeHead([200, 200, 200, 404, 500][random.integer(5)] ?? 200, {
        'content-type': random.integer(4) ? 'application/json' : 'text/html',
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const env = { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' };
  const settings = connectionSettings(`http://127.0.0.1:${port}`, { env, file: '', allowed: true });
  const client = settings.ok ? openClient(settings.value) : settings;
  if (!client.ok) throw new Error(client.errors[0].message);
  const { value } = client;
  try {
    const results = [
      await value.version(),
      await value.storeType(),
      await value.experimentByName('x'),
      await value.getRun('r'),
      await value.searchRuns('1', ''),
      await value.metricHistory('r', 'm', (points) =>
        points.forEach(({ step }) => expect(typeof step).toBe('number')),
      ),
      await value.searchModels('1', ''),
      await value.listArtifacts('r'),
      await value.downloadArtifact('mlflow-artifacts:/r', 'a'),
    ];
    for (const one of results) if (!one.ok) renderDiagnostics(one.errors);
  } finally {
    await value.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
};

const plan = async (directory: string) => {
  const result = await planExperiment(join(directory, 'spec.yaml'), { cores: 2 });
  return renderDiagnostics(result.ok ? result.notices : result.errors);
};

const loadAndCheck = async (path: string) => {
  const document = await loadSpec(path);
  const checked = document.ok ? validateSpec(document.value) : document;
  return renderDiagnostics(checked.ok ? checked.notices : checked.errors);
};

const inputs: Readonly<Record<string, Input>> = {
  specs: (random, directory) => {
    const document = documentOfText({ path: join(directory, 'spec.yaml'), text: mutated(spec, random) });
    const checked =
      document.ok && (document.value.root as Located).kind === 'map'
        ? validateSpec(document.value)
        : document;
    return renderDiagnostics(checked.ok ? checked.notices : checked.errors);
  },
  'CSV files': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), spec);
    writeFileSync(join(directory, 'data.csv'), mutated(csv, random));
    return plan(directory);
  },
  'JSON lines': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), ofJsonl);
    writeFileSync(join(directory, 'data.jsonl'), mutated(jsonl, random));
    return plan(directory);
  },
  'recorded files': (random, directory) => {
    parseRun('run.json', mutated(json.run, random));
    parseStatus('status.json', mutated(json.status, random));
    parseMetricLine(mutated(json.line, random));
    const path = join(directory, 'plan.json');
    writeFileSync(path, mutated(json.plan, random));
    return readFrozenPlan(path);
  },
  'IDX files': async (random, directory) => {
    writeFileSync(join(directory, 'data.idx'), mutatedBytes(idx, random));
    await orRefused(async () => {
      const file = await findDataFile('data.idx', { baseDirectory: directory }, 'file');
      return readIdx(file);
    }, DataError);
  },
  checkpoints: (random, directory) => {
    const path = join(directory, 'last.safetensors');
    const tensors = new Map([['a', { shape: [2], values: Float32Array.of(1, 2) }]]);
    writeTensors(path, { tensors, metadata: { state: '{"step":1,"best":null}' } });
    writeFileSync(path, mutatedBytes(readFileSync(path), random));
    return checkpointDamage(path, '0123456789ab');
  },
  'search journals': (random, directory) => {
    const path = join(directory, 'plan.decisions.jsonl');
    writeFileSync(path, mutated(searchLines, random));
    return orRefused(() => {
      openSearchJournal(path, { afresh: false }).close();
      cutDamage(path);
    }, RecordUnreadable);
  },
  'answers of a server': askServer,
  'large specs': (random, directory) => {
    writeFileSync(join(directory, 'large.yaml'), grown(spec, random));
    return loadAndCheck(join(directory, 'large.yaml'));
  },
  'large CSV files': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), spec);
    writeFileSync(join(directory, 'data.csv'), grown(csv, random));
    return plan(directory);
  },
  'large JSON lines': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), ofJsonl);
    writeFileSync(join(directory, 'data.jsonl'), grown(jsonl, random));
    return plan(directory);
  },
  'command lines': async (random, directory) => {
    const line = Array.from({ length: 1 + random.integer(6) }, (_, at) =>
      at === 0 ? (words[random.integer(6)] ?? '') : (words[random.integer(words.length)] ?? ''),
    );
    const terminal = openTerminal(line, { print: () => undefined, complain: () => undefined });
    return runProgram(
      line.map((word) => (word === 'spec.yaml' ? join(directory, word) : word)),
      terminal,
    );
  },
};

fuzz(inputs, 0.55);
