import { DataError, type DataContext, type Dataset, type DatasetRow } from './dataset.ts';
import { describeDataset, describeUnread } from './describe.ts';
import type { DataDescription, DataInspection } from './description.ts';
import { keptJson } from './packed-folder.ts';
import { isClassTask } from './task.ts';

/** Raised whenever the same data would be described in another way. */
const descriptionVersion = 1;

/**
 * Describes and checks a dataset's content before it is trained on. Throws `DataError` for what cannot be trained on.
 * `loaded` is the dataset where it is in memory already.
 */
export const inspectData = async (
  row: Pick<DatasetRow, 'shape' | 'parts' | 'inspect' | 'load' | 'digest' | 'generated'>,
  parameters: Readonly<Record<string, unknown>>,
  given: { readonly context: DataContext; readonly loaded?: Dataset },
): Promise<DataInspection> => {
  const { context, loaded } = given;
  if (row.inspect) return row.inspect(parameters, context);
  const shape = await row.shape(parameters, context);
  const { task } = shape;
  if (isClassTask(task) && task.classes === 1) {
    throw singleClass({ path: 'name', what: 'The dataset', label: task.labels?.[0] ?? '0' });
  }
  const description = loaded
    ? describeDataset(loaded)
    : row.generated
      ? await keptDescription(await row.digest(parameters, context), () => row.load(parameters, context))
      : describeUnread(shape, row.parts?.(parameters));
  return { description, warnings: [] };
};

/** Generating takes longer than describing, so that the description is kept in the cache. */
const keptDescription = (digest: string, load: () => Promise<Dataset>): Promise<DataDescription> =>
  keptJson({ name: 'description.json', key: ['description', descriptionVersion, digest] }, async () =>
    describeDataset(await load()),
  );

/** The mistake of data in which every target is the same class. `what` begins a sentence. */
export const singleClass = (given: {
  readonly path: string;
  readonly what: string;
  readonly label: string;
}): DataError => {
  const { path, what, label } = given;
  const message = `${what} has a single class, ${JSON.stringify(label)}, so there is nothing to learn.`;
  const help = 'Add data of another class, or predict another target.';
  return new DataError({
    path,
    message,
    expected: 'at least two classes',
    got: `only ${JSON.stringify(label)}`,
    help,
  });
};
