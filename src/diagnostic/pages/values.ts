import { spec, type Page } from './page.ts';

/** Keys and values that the spec language does not know or allow. */
export const valuePages = {
  'unknown-key': {
    why:
      'Unknown keys are errors everywhere in a spec, because ignoring a misspelt setting would waste a training run. ' +
      'The parameters allowed under dataset, model and optimizer depend on the name chosen there; `unroll models lstm` lists those of the model lstm.',
    examples: [
      spec('model: { name: lstm, hidenSize: 64 }', 'model: { name: lstm, hiddenSize: 64 }'),
      spec('model: { name: gru, forgetBias: 1 }', 'model: { name: lstm, forgetBias: 1 }'),
      spec('batchSize: 64', 'train: { batchSize: 64, steps: 100 }'),
    ],
  },
  'missing-key': {
    why:
      'Most keys have a default. The others are required, because no default would suit everybody. ' +
      'A file that extends another one can inherit them.',
    examples: [
      spec('objective: { goal: maximize }', 'objective: { metric: test/accuracy }'),
      spec('model: { hiddenSize: 64 }', 'model: { name: lstm, hiddenSize: 64 }'),
    ],
  },
  'unknown-name': {
    why:
      'Models, datasets, optimizers and schemas are chosen by their registered name, experiments by the name in their spec. ' +
      '`unroll models`, `unroll datasets`, `unroll optimizers` and `unroll ls` list the names.',
    examples: [spec('model: { name: ltsm }', 'model: { name: lstm }')],
  },
  'wrong-type': {
    why:
      'A spec is YAML 1.2: 1e-3 is a number, "128" in quotes is a string, yes is a string and true is a boolean. ' +
      'Values are never converted silently. A key has one value; to try several, list them under sweep.axes.',
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
      'The value has the right type but is outside the bounds given in the message. Outside these bounds the setting has no meaning, ' +
      'so the error is reported before the training starts.',
    examples: [
      spec('optimizer: { name: adam, learningRate: 0 }', 'optimizer: { name: adam, learningRate: 0.001 }'),
      spec(
        'sweep: { axes: { optimizer.learningRate: { log: [-4, -2], steps: 3 } } }',
        'sweep: { axes: { optimizer.learningRate: { log: [1e-4, 1e-2], steps: 3 } } }',
      ),
    ],
  },
  'not-allowed': {
    why: 'The key accepts one of a few strings, or a string of a certain form, and this is neither. The message lists what is allowed.',
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
      'Each setting is valid by itself, but together they make no sense, or one would make the other ineffective. ' +
      'The message shows the setting to change and, if there is one, the setting it conflicts with.',
    examples: [
      spec('train: { epochs: 2, steps: 100 }', 'train: { epochs: 2 }'),
      spec(
        'model: { name: lstm, layers: 1, dropout: 0.5 }',
        'model: { name: lstm, layers: 2, dropout: 0.5 }',
      ),
      spec('objective: { metric: test/loss, goal: maximize }', 'objective: { metric: test/loss }'),
    ],
  },
  'unsupported-version': {
    why: "The version defines how the rest of the file is read, so later versions of Unroll can still read today's specs.",
    examples: [spec('version: 2', 'version: 1')],
  },
} satisfies Readonly<Record<string, Page>>;
