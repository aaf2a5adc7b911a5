import { examplesPerStep } from '../data/batches.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { findRow, type Registry } from '../registry/rows.ts';
import type { Together } from './together.ts';

/** Without a section it is in train. */
type StatefulIssue = Omit<ParameterIssue, 'section'> & { readonly section?: 'dataset' | 'model' };

/** That the sequences of `train.stateful` follow one another, and that the network has a state to carry. */
export const checkStateful = (
  registry: Registry,
  { dataset, model, train, parts }: Pick<Together, 'dataset' | 'model' | 'train' | 'parts'>,
): readonly StatefulIssue[] => {
  if (!train.stateful) return [];
  const row = findRow(registry.dataset, dataset.name);
  if (!row?.consecutive)
    return [
      {
        path: 'stateful',
        message: `The sequences of the dataset ${dataset.name} do not follow one another, so no state can be carried from one to the next.`,
        expected: `a dataset of one long text: ${namesWhere(registry.dataset, 'consecutive').join(' or ')}`,
        help: 'Remove `stateful` from train, or choose such a dataset.',
      },
    ];
  const issues: StatefulIssue[] = [];
  if (!row.consecutive(dataset))
    issues.push({
      section: 'dataset',
      path: 'stride',
      message: 'The sequences overlap or leave gaps, so none begins with the state after the one before it.',
      expected: `null, or ${JSON.stringify(dataset['length'])} as \`length\``,
      help: 'Remove `stride` from dataset, or `stateful` from train.',
    });
  if (!findRow(registry.model, model.name)?.carriesState)
    issues.push({
      section: 'model',
      path: 'name',
      message: `The model ${model.name} cannot carry its state from batch to batch.`,
      expected: namesWhere(registry.model, 'carriesState').join(', '),
      help: 'Choose such a model, or remove `stateful` from train.',
    });
  const streams = examplesPerStep(train);
  const size = parts?.trainSize;
  if (size !== undefined && size < 2 * streams)
    issues.push({
      path: 'stateful',
      with: ['batchSize', ...(train.accumulate === undefined ? [] : ['accumulate'])],
      message: `${size} training sequences in ${streams} streams leave no stream two of them, so no state is ever carried.`,
      expected: `at least ${2 * streams} training sequences, or at most ${Math.floor(size / 2)} streams (batchSize${train.accumulate === undefined ? '' : ' x accumulate'})`,
      help: 'Lower `batchSize` or the `length` of the sequences, or use a longer text.',
    });
  return issues;
};

const namesWhere = <K extends string>(
  rows: Readonly<Record<string, Partial<Record<K, unknown>>>>,
  key: K,
): readonly string[] => Object.keys(rows).filter((name) => rows[name]?.[key] !== undefined);
