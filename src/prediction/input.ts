import type { TableParameters } from '../data/table/parameters.ts';
import type { DataFiles } from '../data/columns/find-files.ts';
import { DataError, type DataContext, type DatasetRow } from '../data/dataset.ts';
import type { TakeExamples } from '../data/example-batch.ts';
import { findDataFile, type DataFile } from '../data/files.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { SeriesFormat } from '../data/series/format.ts';
import type { SeriesReading } from '../data/series/series-reading.ts';
import type { TableFormat } from '../data/table/ensure-pack.ts';
import type { TableReading } from '../data/table/read-examples.ts';
import type { TableReader } from '../data/table/rows.ts';
import type { StreamFormat } from '../data/text/stream.ts';
import type { StreamReading } from '../data/text/stream-reading.ts';
import { wrongSetting } from '../plan/wrong-setting.ts';
import { rowOf, type Registry } from '../registry/rows.ts';
import { loadedGatherPixels } from '../tensorflow/kernels/own-library.ts';
import { inputKinds, type InputKind } from './formats.ts';
import type { OpenModel } from './open-model.ts';

const endings: readonly (readonly [RegExp, InputKind])[] = [
  [/\.(csv|tsv)$/i, 'csv'],
  [/\.(jsonl|ndjson|json)$/i, 'jsonl'],
  [/\.parquet$/i, 'parquet'],
  [/\.(ts|arff)$/i, 'ucr'],
  [/\.png$/i, 'png'],
  [/\.(conll|conllu|iob|bio)$/i, 'conll'],
  [/(\.idx|idx\d-ubyte)$/i, 'idx'],
];

/** The kind of a file by its name; otherwise the kind that the model was trained on. */
export const kindOf = (file: DataFile, { file: { dataset, preprocessing } }: OpenModel): InputKind => {
  const name = file.name.replace(/\.(gz|zst|zstd)$/i, '');
  const trained = trainedKind(dataset.name, preprocessing);
  if (trained === 'ucr' && /\.(tsv|txt)$/i.test(name)) return 'ucr';
  const found = endings.find(([ending]) => ending.test(name));
  if (found) return found[1];
  const isText = /\.(txt|text|md)$/i.test(name);
  return isText && (preprocessing.kind === 'text' || preprocessing.kind === 'stream') && trained !== 'conll'
    ? 'text'
    : trained;
};

const trainedKind = (dataset: string, { kind }: Preprocessing): InputKind => {
  const [prefix = ''] = dataset.split('-');
  if (kind === 'pixels') return 'idx';
  if (kind === 'stream') return 'text';
  if (kind === 'none') return 'jsonl';
  return (inputKinds as readonly string[]).includes(prefix) ? (prefix as InputKind) : 'csv';
};

/** How input files become examples of a model. */
export interface InputGiven {
  readonly model: OpenModel;
  readonly registry: Registry;
  readonly files: DataFiles;
  readonly kind: InputKind;
}

/** A dataset's own way to read files of its form. */
const formatOf = async <F>({ model, registry }: InputGiven): Promise<F> => {
  const { dataset } = model.file;
  const row: DatasetRow = rowOf(registry.dataset, dataset);
  if (!row.formatOf) throw new Error(`The dataset ${dataset.name} cannot read other files.`);
  refuseWrongSettings(row, model);
  const context: DataContext = { baseDirectory: model.directory };
  return (await row.formatOf(dataset, context)) as F;
};

const refuseWrongSettings = (row: DatasetRow, { file: { dataset }, directory }: OpenModel): void => {
  const wrong = wrongSetting(row, dataset);
  if (!wrong) return;
  throw new DataError(
    {
      path: 'model.json',
      message: `model.json in ${directory} describes no dataset: ${wrong.message}`,
      ...(wrong.expected !== undefined && { expected: wrong.expected }),
      help: 'Copy the folder again: the file is not as the training wrote it.',
    },
    { code: 'damaged-record' },
  );
};

/** The reader of a kind of file, where it is another than the training's. */
const readerOf = async (kind: InputKind, given: InputGiven): Promise<TableReader | undefined> => {
  const { dataset, preprocessing } = given.model.file;
  if (kind === trainedKind(dataset.name, preprocessing)) return undefined;
  switch (kind) {
    case 'csv':
      return (await import('../data/table/read-csv.ts')).csvReader(',');
    case 'jsonl':
      return (await import('../data/table/read-jsonl.ts')).readJsonl;
    case 'parquet':
      return (await import('../data/table/read-parquet.ts')).readParquet;
    case 'text':
      return preprocessing.kind === 'text'
        ? (await import('../data/text/read-lines.ts')).lineReader(textColumn(dataset))
        : undefined;
    case 'idx':
    case 'png':
    case 'conll':
    case 'ucr':
      throw refused(given);
  }
};

export const textColumn = (dataset: OpenModel['file']['dataset']): string =>
  typeof dataset['text'] === 'string' ? dataset['text'] : 'token';

export const kindsFor: Readonly<Record<Preprocessing['kind'], readonly InputKind[]>> = {
  pixels: ['idx', 'png'],
  table: ['csv', 'jsonl', 'parquet', 'ucr'],
  text: ['csv', 'jsonl', 'parquet', 'text', 'conll'],
  stream: ['text'],
  series: ['csv', 'jsonl', 'parquet'],
  none: ['jsonl', 'parquet'],
};

const refused = ({ model, files, kind }: InputGiven): DataError => {
  const { preprocessing, dataset } = model.file;
  return new DataError({
    path: 'input',
    message: `${files.name} is read as ${kind}, which a model of the dataset ${dataset.name} cannot read.`,
    expected: `a file of the kind ${kindsFor[preprocessing.kind].join(', ')}`,
    help: 'Name another file, or its kind with --input-format.',
  });
};

export const tableReading = async (given: InputGiven, withTargets: boolean): Promise<TableReading> => {
  const { model, kind } = given;
  const { shape, preprocessing } = model.file;
  const reader = await readerOf(kind, given);
  const own = preprocessing.kind === 'none' ? await plainFormat() : await formatOf<TableFormat>(given);
  const { numberIn, ...others } = own;
  const format = reader ? { ...others, read: reader } : { ...others, ...(numberIn && { numberIn }) };
  switch (preprocessing.kind) {
    case 'table': {
      const { features, inputs, targets } = preprocessing;
      const encoding = { columns: inputs, targets };
      return { format, shape, features, inputs: inputs.map(({ name }) => name), encoding, withTargets };
    }
    case 'text':
      return {
        ...{ format, shape, features: [], inputs: undefined, withTargets },
        encoding: { columns: [unscaled], targets: preprocessing.targets },
        vocabulary: model.vocabulary,
      };
    case 'none': {
      const { input } = shape;
      const count = input.kind === 'values' ? input.features : 1;
      const inputs = Array.from({ length: count }, (_, at) => (count === 1 ? 'inputs' : `inputs[${at}]`));
      const encoding = { columns: inputs.map(() => unscaled), targets: [] };
      return { format, shape, features: ['inputs'], inputs, encoding, withTargets };
    }
    case 'pixels':
    case 'stream':
    case 'series':
      throw new Error(`A model of ${preprocessing.kind} reads no table.`);
  }
};

const unscaled = { kind: 'number', mask: false, fill: 0, mean: 0, factor: 1 } as const;

/** Rows that hold the inputs as the network reads them: a list of steps under `inputs`. */
const plainFormat = async (): Promise<TableFormat> => {
  const [{ readJsonl }, { nestedSink }, { settled }] = await Promise.all([
    import('../data/table/read-jsonl.ts'),
    import('../data/table/nested.ts'),
    import('../data/table/parameters.ts'),
  ]);
  const chosen = { layout: 'wide', features: ['inputs'], targets: [] };
  return {
    settings: settled(chosen as Partial<TableParameters> as TableParameters),
    read: readJsonl,
    layOut: nestedSink,
    key: null,
  };
};

export const seriesReading = async (given: InputGiven): Promise<SeriesReading> => {
  const { shape, preprocessing } = given.model.file;
  if (preprocessing.kind !== 'series') throw new Error('not a model of series');
  const { numberIn, ...own } = await formatOf<SeriesFormat>(given);
  const reader = await readerOf(given.kind, given);
  const kind = given.kind === 'jsonl' || given.kind === 'parquet' ? given.kind : 'csv';
  const format = reader ? { ...own, kind, read: reader } : { ...own, ...(numberIn && { numberIn }) };
  return { format: format as SeriesFormat, shape, preprocessing };
};

export const streamReading = async (given: InputGiven): Promise<StreamReading> => {
  const { shape, preprocessing } = given.model.file;
  if (preprocessing.kind !== 'stream') throw new Error('not a model of one long text');
  const format = await formatOf<StreamFormat>(given);
  const vocabulary = given.model.vocabulary ?? ('labels' in shape.task ? (shape.task.labels ?? []) : []);
  return { format, shape, vocabulary, unknown: preprocessing.unknown };
};

/** Reads the examples of all kinds but series ahead. Throws `DataError` for what cannot be read. */
export const readExamples = async (
  given: InputGiven,
  { take, withTargets }: { readonly take: TakeExamples; readonly withTargets: boolean },
): Promise<void> => {
  const { model, files, kind } = given;
  const { shape, preprocessing } = model.file;
  if (!kindsFor[preprocessing.kind].includes(kind)) throw refused(given);
  const [first] = files.files;
  if (!first) throw new Error('no file');
  switch (preprocessing.kind) {
    case 'pixels': {
      const images = await import('../data/read-images.ts');
      const reading = { shape, preprocessing, gather: loadedGatherPixels() };
      if (kind === 'png') return images.readPngExamples(files, reading, { take, withLabels: withTargets });
      for (const file of files.files) {
        const labels = withTargets ? await labelsBeside(file) : undefined;
        await images.readIdxExamples(file, reading, { take, labels });
      }
      return;
    }
    case 'table':
    case 'text':
    case 'none': {
      const { readTableExamples } = await import('../data/table/read-examples.ts');
      return readTableExamples(files, await tableReading(given, withTargets), take);
    }
    case 'stream': {
      const { readInStreams, readStreamExamples } = await import('../data/text/stream-reading.ts');
      if (model.file.stateful && withTargets) return readInStreams(first, await streamReading(given), take);
      return readStreamExamples(first, await streamReading(given), { take, toTheEnd: !withTargets });
    }
    case 'series': {
      const { readSeriesExamples } = await import('../data/series/series-reading.ts');
      return readSeriesExamples(first, await seriesReading(given), take);
    }
  }
};

/** The labels of an IDX file of images, named as in MNIST. */
const labelsBeside = (file: DataFile): Promise<DataFile> => {
  const name = file.path.replace(/images([-.])idx3/, 'labels$1idx1');
  if (name !== file.path) return findDataFile(name, { baseDirectory: '.' }, 'data');
  throw new DataError({
    path: 'data',
    message: `${file.name} has images without labels.`,
    expected: 'a name such as t10k-images-idx3-ubyte, with t10k-labels-idx1-ubyte beside it',
    help: 'Rename the files, or give PNG images in folders named as their classes.',
  });
};
