import { spec, type Page } from './page.ts';

/** Keys and values that the spec language does not know or allow. */
export const valuePages = {
  'unknown-key': {
    why:
      'A key that is not known is an error at every place of a spec, because a misspelt setting that is ignored costs a training. ' +
      'Which parameters are known under dataset, model and optimizer depends on the name that stands there; `unroll models lstm` lists those of one row.',
    examples: [
      spec('model: { name: lstm, hidenSize: 64 }', 'model: { name: lstm, hiddenSize: 64 }'),
      spec('model: { name: gru, forgetBias: 1 }', 'model: { name: lstm, forgetBias: 1 }'),
      spec('batchSize: 64', 'train: { batchSize: 64, steps: 100 }'),
    ],
  },
  'missing-key': {
    why:
      'Most keys have a default; the others must be written, because no default would be right for everybody. ' +
      'A file that extends another one may leave them to it.',
    examples: [
      spec('objective: { metric: test/accuracy }', 'objective: { metric: test/accuracy, goal: maximize }'),
      spec('model: { hiddenSize: 64 }', 'model: { name: lstm, hiddenSize: 64 }'),
    ],
  },
  'unknown-name': {
    why:
      'Models, datasets, optimizers and schemas are chosen by the name under which they are registered, experiments by the name of their spec. ' +
      '`unroll models`, `unroll datasets`, `unroll optimizers` and `unroll ls` list the names.',
    examples: [spec('model: { name: ltsm }', 'model: { name: lstm }')],
  },
  'wrong-type': {
    why:
      'A spec is YAML 1.2: 1e-3 is a number, "128" in quotes is a text, yes is a text and true is not. ' +
      'Values are never converted silently. One key has one value; to try several, list them under sweep.axes.',
    examples: [
      spec('model: { name: lstm, hiddenSize: "64" }', 'model: { name: lstm, hiddenSize: 64 }'),
      spec('model: { name: lstm, bidirectional: yes }', 'model: { name: lstm, bidirectional: true }'),
      spec(
        'model: { name: lstm, hiddenSize: [64, 128] }',
        'model: { name: lstm }\nsweep: { axes: { model.hiddenSize: [64, 128] } }',
      ),
    ],
  },
  'out-of-range': {
    why:
      'The value has the right type and lies outside of the bounds that the message tells. Bounds are those within which a setting has a meaning, ' +
      'so that a slip is found before the training and not after it.',
    examples: [
      spec('optimizer: { name: adam, learningRate: 0 }', 'optimizer: { name: adam, learningRate: 0.001 }'),
      spec(
        'sweep: { axes: { optimizer.learningRate: { log: [-4, -2], steps: 3 } } }',
        'sweep: { axes: { optimizer.learningRate: { log: [1e-4, 1e-2], steps: 3 } } }',
      ),
    ],
  },
  'not-allowed': {
    why: 'The key takes one of a few texts, or a text of a certain form, and this is none of them. The message lists what is allowed.',
    examples: [
      spec(
        'objective: { metric: test/accuracy, goal: max }',
        'objective: { metric: test/accuracy, goal: maximize }',
      ),
      spec('name: mnist/rows', 'name: mnist-rows'),
    ],
  },
  conflict: {
    why:
      'Each of the settings is allowed by itself, but together they have no meaning, or one would make the other ineffective. ' +
      'The message shows the place that has to change and, where there is one, the other place.',
    examples: [
      spec('train: { epochs: 2, steps: 100 }', 'train: { epochs: 2 }'),
      spec(
        'model: { name: lstm, layers: 1, dropout: 0.5 }',
        'model: { name: lstm, layers: 2, dropout: 0.5 }',
      ),
    ],
  },
  'unsupported-version': {
    why: 'The version says how the rest of the file is to be read, so that a later program can still read the specs of today.',
    examples: [spec('version: 2', 'version: 1')],
  },
} satisfies Readonly<Record<string, Page>>;
