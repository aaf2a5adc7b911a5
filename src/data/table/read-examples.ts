import { numberIn } from '../columns/cells.ts';
import type { DataFiles } from '../columns/find-files.ts';
import { allocateBatch, DataError, type SequenceShape } from '../dataset.ts';
import { examplesAtOnce, type TakeExamples } from '../example-batch.ts';
import { withoutRows } from '../files.ts';
import { indicesBelow } from '../indices.ts';
import { labelsOf } from '../task.ts';
import { indicesIn } from '../text/vocabulary.ts';
import type { Encoding } from './encoding.ts';
import { readSequences, type TableFormat } from './ensure-pack.ts';
import { packExamples } from './examples.ts';
import { createLabels, type LabelTable } from './labels.ts';
import { type PackedSequence, placesIn, type Pack, type PackDescription } from './pack.ts';
import type { TableSettings } from './parameters.ts';
import type { SequenceContext } from './sequence.ts';

/** How the rows of other files become examples: as those of the training part did. */
export interface TableReading {
  readonly format: TableFormat;
  readonly shape: SequenceShape;
  /** The feature columns. */
  readonly features: readonly string[];
  /** The names of the inputs' columns, in the order of the encoding; undefined where a step is a token. */
  readonly inputs: readonly string[] | undefined;
  readonly encoding: Encoding;
  readonly vocabulary?: readonly string[] | undefined;
  /** Whether the files have the targets, which are then read, too. */
  readonly withTargets: boolean;
}

/**
 * Reads files of any size and hands on their sequences, some at a time. Throws `DataError` with all bad rows; what was
 * before the first of them has been handed on.
 */
export const readTableExamples = async (
  files: DataFiles,
  reading: TableReading,
  take: TakeExamples,
): Promise<void> => {
  const { format, shape, encoding, vocabulary, inputs } = reading;
  const settings = settingsOf(reading);
  const tables = shortLivedLabels(files.name);
  const classes = classTable(shape) ?? tables.of('');
  const categoryOf = numberedCategories(reading);
  let sequences: PackedSequence[] = [];
  let before = 0;
  let batch = allocateBatch(shape, examplesAtOnce);
  let wide = shape;
  let named: Parameters<SequenceContext['describe']>[0] | undefined;

  const flush = () => {
    if (sequences.length === 0) return;
    const { features = [], statics = [], targets = noTargets } = named ?? {};
    const tokens = vocabulary && tables.of('tokens').texts();
    const weights = weightsOf(sequences);
    const pack = memoryPack(
      {
        ...{ features: vocabulary ? ['token'] : features, statics, targets, columns: features },
        ...(tokens && { tokens }),
        ...{ labels: classes.texts(), categories: tables.categories(), weighted: weights !== undefined },
        ...{ key: null, keyLabels: [], missing: {} },
      },
      sequences,
    );
    if (pack.longest > wide.steps) {
      wide = { ...shape, steps: pack.longest };
      batch = allocateBatch(wide, examplesAtOnce);
    }
    const tokenIndices = vocabulary && tokens && indicesIn(vocabulary, tokens);
    const laying = { shape: wide, encoding, ...(tokenIndices && { tokenIndices }) };
    const all = indicesBelow(sequences.length);
    packExamples(pack, laying)(all).read(all, batch);
    const names = sequences.map(({ name }, at) => name ?? String(before + at + 1));
    const scaling = scalingOf(encoding);
    take({
      batch: { ...batch, ...(weights && { weights }) },
      shape: wide,
      id: (row) => names[row] as string,
      ...(scaling && { scaling: () => scaling }),
    });
    before += sequences.length;
    sequences = [];
    tables.clear();
  };

  for (const file of files.files) {
    let line = 0;
    let lastLine = 0;
    let problems: SequenceContext['problems'] | undefined;
    const shared: Omit<SequenceContext, 'name' | 'problems' | 'joined' | 'fileId'> = {
      settings,
      numberIn: format.numberIn ?? numberIn,
      labels: classes,
      keyLabels: tables.of('key'),
      categoriesOf: tables.ofColumn,
      categoryOf,
      tokens: tables.of('tokens'),
      countMissing: () => undefined,
      writer: {
        add: (sequence) => {
          const steps = vocabulary
            ? sequence.values.length
            : sequence.values.length / Math.max(1, named?.features.length ?? 1);
          if (!shape.variableLength && steps !== shape.steps) {
            // In the long layout a sequence ends where the next one begins.
            problems?.report(
              settings.layout === 'long' ? lastLine : line,
              `a sequence of ${steps} steps, where every sequence of the training had ${shape.steps}`,
            );
            return;
          }
          sequences.push({ ...sequence, values: sequence.values.slice() });
          if (sequences.length === examplesAtOnce) flush();
        },
        sequences: () => before + sequences.length,
        finish: () => undefined,
        close: () => undefined,
      },
      describe: (found) => {
        named = found;
        if (inputs) checkInputs([...found.features, ...found.statics], inputs, file.name);
      },
    };
    const layOut: TableFormat['layOut'] = (context, available) => {
      ({ problems } = context);
      const { weight } = settings;
      const weighted = weight !== null && [...available, ...context.joined].includes(weight);
      const sink = format.layOut(
        { ...context, settings: { ...settings, weight: weighted ? weight : null } },
        available,
      );
      return {
        ...sink,
        add: (cells, at) => {
          lastLine = line;
          line = at;
          sink.add(cells, at);
        },
        end: () => {
          lastLine = line;
          sink.end();
        },
      };
    };
    await readSequences(file, { files, format: { ...format, settings, layOut }, labels: undefined, shared });
  }
  flush();
  if (before === 0) {
    throw withoutRows(files);
  }
};

/**
 * The categories of the training that are numbers, by their column and value: a CSV file has 1.0 where JSON and Parquet have the
 * number 1, whose text is another one.
 */
const numberedCategories = ({
  encoding,
  inputs,
}: TableReading): NonNullable<SequenceContext['categoryOf']> => {
  const columns = new Map(
    encoding.columns.flatMap((column, at) => {
      const name = inputs?.[at];
      if (column.kind !== 'category' || name === undefined) return [];
      const labels = new Map<number, string>();
      for (const label of column.labels) {
        const value = numberIn(label);
        const isFirst = !labels.has(value) || label === String(value);
        if (!Number.isNaN(value) && isFirst) labels.set(value, label);
      }
      return [[name, labels] as const];
    }),
  );
  return (column, value) => columns.get(column)?.get(value);
};

/** The weights of the sequences, 1 for those of a file without the column; undefined where none has one. */
const weightsOf = (sequences: readonly PackedSequence[]): Float32Array | undefined =>
  sequences.some(({ weight }) => weight !== undefined)
    ? Float32Array.from(sequences, ({ weight = 1 }) => weight)
    : undefined;

const noTargets = { count: 0, each: 'sequence' } as const;

/** The settings of the training, without what draws parts and joins files, and without targets where there are none. */
const settingsOf = ({ format, features, withTargets, inputs }: TableReading): TableSettings => {
  const { settings } = format;
  const wanted = [...(settings.static ?? []), ...(withTargets ? [...settings.targets, settings.weight] : [])];
  const usesName = wanted.some((column) => column !== null && settings.fileName?.includes(`{${column}}`));
  return {
    ...settings,
    ...(inputs && { features: [...features] }),
    ...{ split: 'random', splitBy: null, folds: null, labelsFile: null, labelsKey: null },
    weight: withTargets ? settings.weight : null,
    fileName: usesName ? settings.fileName : null,
    ...(!withTargets && { targets: [], task: 'classification', perStep: false }),
  };
};

const checkInputs = (found: readonly string[], wanted: readonly string[], name: string): void => {
  if (found.join('\n') === wanted.join('\n')) return;
  throw new DataError({
    path: 'input',
    message: `${name} has other inputs than the model was trained on: ${found.join(', ')}.`,
    expected: wanted.join(', '),
    help: 'Give each step the numbers that the training data had, in the same order.',
  });
};

const scalingOf = ({ targets }: Encoding) =>
  targets.length === 0
    ? undefined
    : { mean: targets.map(({ mean }) => mean), factor: targets.map(({ factor }) => factor) };

/** The classes that the model knows, by their index; undefined where targets are numbers or sets of labels. */
const classTable = ({ task }: SequenceShape): LabelTable | undefined => {
  const labels = labelsOf(task);
  if (!labels) return undefined;
  const places = new Map(labels.map((label, at) => [label, at]));
  if (task.kind !== 'multi-label') return { idOf: (text) => places.get(text) ?? -1, texts: () => labels };
  const sets = createLabels('', { name: '', most: Infinity });
  return {
    idOf: (set) => ((JSON.parse(set) as string[]).every((label) => places.has(label)) ? sets.idOf(set) : -1),
    texts: sets.texts,
  };
};

/** Tables of labels that are emptied after each batch, so that no file has too many. */
const shortLivedLabels = (name: string) => {
  const tables = new Map<string, { current: LabelTable }>();
  const anew = () => createLabels('', { name, most: Infinity });
  const columns = new Map<string, LabelTable>();
  const of = (key: string): LabelTable => {
    const table = tables.get(key) ?? { current: anew() };
    tables.set(key, table);
    return { idOf: (text) => table.current.idOf(text), texts: () => table.current.texts() };
  };
  return {
    of,
    ofColumn: (column: string): LabelTable => {
      const table = columns.get(column) ?? of(`column ${column}`);
      columns.set(column, table);
      return table;
    },
    categories: () => Object.fromEntries([...columns].map(([column, table]) => [column, table.texts()])),
    clear: () => {
      for (const table of tables.values()) table.current = anew();
    },
  };
};

/** A few sequences in memory, in the form of a pack. */
const memoryPack = (
  description: Omit<PackDescription, 'sequences' | 'longest' | 'shortest'>,
  sequences: readonly PackedSequence[],
): Pack => {
  const width = description.features.length;
  const stepsOf = sequences.map(({ values }) => values.length / width);
  const records = sequences.map(({ values, statics, targets, weight, key }) =>
    Float64Array.from([
      ...values,
      ...statics,
      ...targets,
      ...(description.weighted ? [weight ?? 1] : []),
      ...(key === undefined ? [] : [key]),
    ]),
  );
  const whole: PackDescription = {
    ...description,
    sequences: sequences.length,
    longest: Math.max(...stepsOf),
    shortest: Math.min(...stepsOf),
  };
  return {
    ...whole,
    numbers: records.reduce((sum, { length }) => sum + length, 0),
    steps: (sequence) => stepsOf[sequence] as number,
    record: (sequence) => records[sequence] as Float64Array,
    places: (steps) => placesIn(whole, steps),
    visit: (wanted, see) => {
      for (const sequence of wanted) see(sequence, records[sequence] as Float64Array, 0);
    },
    names: () => sequences.flatMap(({ name }) => (name === undefined ? [] : [name])),
  };
};
