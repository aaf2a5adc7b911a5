import { DataError, type DataContext } from '../dataset.ts';
import { findDataFile, wrongFile } from '../files.ts';
import { linesOf } from './read-jsonl.ts';
import type { TableReader } from './rows.ts';
import { textOf } from './text.ts';

/** The columns of a block: its steps, each a list of numbers, and its label. */
export const blockColumns = { values: 'x', label: 'label' } as const;

/** How many blocks each class has, in the order of the classes. */
export type ClassSizes = readonly number[];

/** Reads a file of whole numbers, such as `31 35 88`. Throws `DataError` at the parameter that names it. */
export const readClassSizes = async (
  name: string,
  context: DataContext,
  parameter: string,
): Promise<ClassSizes> => {
  const file = await findDataFile(name, context, parameter);
  let text = '';
  for await (const chunk of textOf(file)) text += chunk;
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (words.length > 0 && wrong === undefined) return words.map(Number);
  throw wrongFile(
    file,
    wrong === undefined ? 'is empty.' : `has ${JSON.stringify(wrong)}, which is no size.`,
    {
      expected: 'how many blocks each class has, such as 31 35 88',
      help: 'Name the file of sizes that belongs to the data.',
    },
  );
};

/**
 * Reads sequences as blocks of lines with an empty line between them: a line is a step, its numbers are separated by spaces
 * or commas. The first blocks are of class 1, as many as `sizes` has of it, then come those of class 2.
 */
export const readBlocks =
  (sizesOf: (parameter: string) => ClassSizes): TableReader =>
  async (file, begin, problems) => {
    const sizes = sizesOf(file.parameter);
    const labels = sizes.flatMap((size, at) => new Array<string>(size).fill(String(at + 1)));
    const sink = begin([blockColumns.values, blockColumns.label]);
    let steps: (readonly string[])[] = [];
    let blocks = 0;
    let line = 0;
    const close = () => {
      if (steps.length === 0) return;
      const label = labels[blocks++] ?? '';
      const start = line - steps.length;
      if (label !== '')
        sink.add(
          sink.columns.map((column) => (column === blockColumns.values ? steps : label)),
          start,
        );
      steps = [];
    };
    for await (const text of linesOf(file)) {
      line++;
      const cells = text.trim().split(/\s*,\s*|\s+/);
      if (text.trim() === '') close();
      else steps.push(cells);
    }
    line++;
    close();
    sink.end();
    if (problems.count() > 0 || blocks === labels.length) return;
    throw new DataError({
      path: file.parameter,
      message: `${file.name} has ${blocks} blocks, and the sizes are of ${labels.length}.`,
      expected: `${labels.length} blocks with an empty line between them`,
      got: `${blocks} blocks`,
      help: 'Name the file of sizes that belongs to the data.',
    });
  };
