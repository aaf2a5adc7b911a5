import { spec, type Page } from './page.ts';

/** Sweeps that do not unroll as they are written. */
export const sweepPages = {
  'unknown-axis': {
    why:
      'An axis is the path of a parameter: a section, a dot, and the key as written in that section. Only dataset, model, optimizer, loss and train can vary. ' +
      'Seeds are not an axis: write `seeds:` at the top level, and the comparison shows mean and spread over them.',
    examples: [
      spec(
        'sweep: { axes: { model.hidenSize: [64, 128] } }',
        'sweep: { axes: { model.hiddenSize: [64, 128] } }',
      ),
      spec('sweep: { axes: { seeds: [1, 2, 3] } }', 'seeds: [1, 2, 3]'),
    ],
  },
  'empty-axis': {
    why: 'A grid has as many points as the product of its axes, so an axis without values leaves nothing to run.',
    examples: [
      spec('sweep: { axes: { model.hiddenSize: [] } }', 'sweep: { axes: { model.hiddenSize: [64, 128] } }'),
      spec(
        'sweep: { axes: { model.hiddenSize: { range: [128, 64], step: 16 } } }',
        'sweep: { axes: { model.hiddenSize: { range: [64, 128], step: 16 } } }',
      ),
    ],
  },
  'empty-plan': {
    why: 'The rules under exclude removed every point of the sweep. A rule removes each point that matches all of its values.',
    examples: [
      spec(
        'sweep: { axes: { model.hiddenSize: [64, 128] }, exclude: [{ model.name: lstm }] }',
        'sweep: { axes: { model.hiddenSize: [64, 128] }, exclude: [{ model.hiddenSize: 64 }] }',
      ),
    ],
  },
  'too-many-runs': {
    why:
      'A grid multiplies: four axes of ten values are 10,000 runs. `maxRuns` (1,000 by default) prevents starting them by mistake. ' +
      'Raise it, or pass --yes, if you want them all; a search samples as many points as you want from the same space.',
    examples: [
      spec(
        'seeds: 3\nsweep: { axes: { optimizer.learningRate: { linear: [0.001, 0.1], steps: 1000 } } }',
        'seeds: 3\nsweep: { method: random, samples: 20, axes: { optimizer.learningRate: { logUniform: [0.001, 0.1] } } }',
      ),
    ],
  },
  'merged-runs': {
    why:
      'Runs with the same settings and the same seed would have the same numbers, so only one of them is trained. This is a notice, not an error: ' +
      'check for a duplicate value, or for a setting that makes an axis ineffective.',
    examples: [
      spec(
        'sweep: { axes: { optimizer.learningRate: [1e-3, 0.001, 0.01] } }',
        'sweep: { axes: { optimizer.learningRate: [0.001, 0.01] } }',
      ),
    ],
  },
  'unused-rule': {
    why:
      'A rule under exclude or when applies to the points that match all of its values. A rule that matches no point has no effect, ' +
      'so one of its values is probably wrong. This is a warning; the sweep runs without the rule.',
    examples: [
      spec(
        'sweep: { axes: { model.hiddenSize: [64, 128] }, exclude: [{ model.hiddenSize: 256 }] }',
        'sweep: { axes: { model.hiddenSize: [64, 128, 256] }, exclude: [{ model.hiddenSize: 256 }] }',
      ),
    ],
  },
} satisfies Readonly<Record<string, Page>>;
