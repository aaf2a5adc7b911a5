import type { SequenceShape } from '../data/dataset.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { checkEmbedding } from './embedding.ts';
import type { Truncation } from './model.ts';
import type { NetworkParameters } from './parameters.ts';
import { isPerStep, stepsRead } from '../data/task.ts';

/** Returns an issue for each combination of parameters that makes no sense. */
export const checkNetwork = (parameters: NetworkParameters): readonly ParameterIssue[] => {
  const { bidirectional, merge, layers, dropout } = parameters;
  const issues: ParameterIssue[] = [...checkEmbedding(parameters)];
  if (!bidirectional && merge !== 'concat')
    issues.push({
      path: 'merge',
      with: ['bidirectional'],
      message: 'There is nothing to merge: the model reads in one direction.',
      expected: 'bidirectional: true beside merge',
      help: 'Add `bidirectional: true`, or remove `merge`.',
    });
  if (layers === 1 && dropout > 0)
    issues.push({
      path: 'dropout',
      with: ['layers'],
      message: 'Dropout acts between layers, and the model has one layer.',
      expected: '0, or layers of at least 2',
      help: 'Raise `layers`, or use `inputDropout`, `outputDropout` or `recurrentDropout`, which need one layer only.',
    });
  return issues;
};

const taskWords: Readonly<Record<SequenceShape['task']['kind'], string>> = {
  classification: 'classification',
  labelling: 'labelling',
  'next-step': 'next-step prediction',
  'multi-label': 'multi-label classification',
  regression: 'regression',
  forecast: 'forecasting',
};

/** Returns an issue for each parameter that does not fit the data or the truncation. */
export const checkNetworkWith = (
  parameters: NetworkParameters,
  { shape, truncation }: { readonly shape: SequenceShape; readonly truncation: Truncation | undefined },
): readonly ParameterIssue[] => {
  const { readout, bidirectional, embeddingSize, embedding = null } = parameters;
  const { task, steps, input } = shape;
  const issues: ParameterIssue[] = [];
  if (isPerStep(task) && readout !== 'auto')
    issues.push({
      path: 'readout',
      message: `The dataset is for ${taskWords[task.kind]}, where the output of every step is read.`,
      expected: 'auto, or no readout',
      help: 'Remove `readout`, or choose a dataset with one target a sequence.',
    });
  if (stepsRead(task) > 1 && readout !== 'auto')
    issues.push({
      path: 'readout',
      message:
        'The dataset has inputs that are known ahead, so the output of each step of the horizon is read.',
      expected: 'auto, or no readout',
      help: 'Remove `readout`, or remove `future` and `calendar` from the dataset.',
    });
  if (task.kind === 'next-step' && bidirectional)
    issues.push({
      path: 'bidirectional',
      message: 'A backward cell would read the step that it must predict.',
      expected: 'false for a dataset of next-step prediction',
      help: 'Remove `bidirectional`.',
    });
  if ((embeddingSize !== null || embedding !== null) && input.kind === 'values') {
    const path = embedding === null ? 'embeddingSize' : 'embedding';
    issues.push({
      path,
      message: 'The dataset has numbers, and only tokens can be embedded.',
      expected: 'null for a dataset of numbers',
      help: `Remove \`${path}\`.`,
    });
  }
  return [...issues, ...checkTruncation(parameters, truncation, steps)];
};

const checkTruncation = (
  { bidirectional }: NetworkParameters,
  truncation: Truncation | undefined,
  steps: number,
): readonly ParameterIssue[] => {
  if (!truncation) return [];
  const issues: ParameterIssue[] = [];
  if (truncation.steps > steps)
    issues.push({
      section: 'train',
      path: 'truncation.steps',
      message: `Truncation after ${String(truncation.steps)} steps, but the longest sequence has ${String(steps)}.`,
      expected: `at most ${String(steps)}`,
      help: 'Lower `truncation.steps`, or remove `truncation` for full backpropagation.',
    });
  if (truncation.style === 'true' && bidirectional)
    issues.push({
      path: 'bidirectional',
      message:
        'True truncation counts steps back from each output, and a bidirectional model reads from both ends.',
      expected: 'false with true truncation',
      help: 'Use `style: chunked`, or remove `bidirectional`.',
    });
  return issues;
};
