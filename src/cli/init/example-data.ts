/** What a new spec names while you have no data of your own: settings of its dataset, and the file that they fit. */
export interface ExampleData {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly content: () => string | Promise<Uint8Array>;
  /** What other parameters than `file` name, by parameter. */
  readonly others?: Readonly<Record<string, () => string>>;
}

const sequences = 60;
const steps = 8;

/** Up or down, with a sequence's own slope and a wave on it. */
const valueAt = (sequence: number, time: number): number => {
  const slope = (sequence % 2 === 0 ? 1 : -1) * (1 + (sequence % 5) / 5);
  return Number((slope * time + Math.sin(sequence * 7 + time * 3)).toFixed(3));
};

const labelOf = (sequence: number): string => (sequence % 2 === 0 ? 'up' : 'down');

const times = Array.from({ length: steps }, (_, time) => time);
const all = Array.from({ length: sequences }, (_, sequence) => sequence);

const days = 120;

/** A week that returns, a slow rise, and some noise. */
const salesAt = (day: number): string =>
  (20 + day / 20 + 6 * Math.sin((2 * Math.PI * day) / 7) + Math.sin(day * 12.9898)).toFixed(2);

const dateOf = (day: number): string => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);

const series = {
  settings: { time: 'date', targets: ['sales'], window: 14, horizon: 7 },
  rows: Array.from({ length: days }, (_, day) => ({ date: dateOf(day), sales: salesAt(day) })),
};

const colours = ['red', 'green', 'blue', 'yellow', 'black', 'white'];
const animals = ['cat', 'dog', 'horse', 'bird', 'fish', 'sheep'];

/** `a red dog sleeps`: the second word is a colour, the third an animal; half of them sleep. */
const sentenceOf = (at: number): readonly string[] => [
  at % 3 === 0 ? 'the' : 'a',
  colours[at % colours.length] ?? '',
  animals[(at >> 1) % animals.length] ?? '',
  at % 2 === 0 ? 'sleeps' : 'runs',
];

const labelledTexts = all.map((at) => ({
  text: sentenceOf(at).join(' '),
  label: at % 2 === 0 ? 'calm' : 'quick',
}));

const lines = (texts: readonly string[]): string => `${texts.join('\n')}\n`;

/** Columns as a Parquet file; its writer is loaded only for one. */
const parquet = async (
  columns: Readonly<Record<string, readonly (number | string)[]>>,
): Promise<Uint8Array> => {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const columnData = Object.entries(columns).map(([name, data]) => ({
    name,
    data: [...data],
    type: typeof data[0] === 'string' ? ('STRING' as const) : ('DOUBLE' as const),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
};

const paragraph =
  'The wind came over the hill and the grass bent low. A bird sang once, and then the field was still. ' +
  'Far away a dog barked at the moon, and nobody answered it. In the morning there was dew on the stones. ';

/** Example data by dataset, for those that read files of your own. */
export const exampleData: Readonly<Record<string, ExampleData>> = {
  'csv-sequences': {
    settings: { file: 'data/train.csv', sequence: 'id', order: 'time', targets: ['label'] },
    content: () =>
      lines([
        'id,time,x,label',
        ...all.flatMap((id) => times.map((time) => `${id},${time},${valueAt(id, time)},${labelOf(id)}`)),
      ]),
  },
  'jsonl-sequences': {
    settings: { file: 'data/train.jsonl', layout: 'wide', features: ['x'], targets: ['label'] },
    content: () =>
      lines(
        all.map((id) => JSON.stringify({ x: times.map((time) => valueAt(id, time)), label: labelOf(id) })),
      ),
  },
  'csv-series': {
    settings: { file: 'data/series.csv', ...series.settings },
    content: () => lines(['date,sales', ...series.rows.map(({ date, sales }) => `${date},${sales}`)]),
  },
  'jsonl-series': {
    settings: { file: 'data/series.jsonl', ...series.settings },
    content: () =>
      lines(series.rows.map(({ date, sales }) => JSON.stringify({ date, sales: Number(sales) }))),
  },
  'parquet-sequences': {
    settings: {
      file: 'data/train.parquet',
      sequence: 'id',
      order: 'time',
      features: ['x'],
      targets: ['label'],
    },
    content: () => {
      const steps = all.flatMap((id) => times.map((time) => ({ id, time })));
      return parquet({
        id: steps.map(({ id }) => id),
        time: steps.map(({ time }) => time),
        x: steps.map(({ id, time }) => valueAt(id, time)),
        label: steps.map(({ id }) => labelOf(id)),
      });
    },
  },
  'parquet-series': {
    settings: { file: 'data/series.parquet', ...series.settings },
    content: () =>
      parquet({
        date: series.rows.map(({ date }) => date),
        sales: series.rows.map(({ sales }) => Number(sales)),
      }),
  },
  'block-sequences': {
    settings: { file: 'data/ae.train', sizes: 'data/size_ae.train' },
    content: () =>
      lines(
        [...all.filter((id) => id % 2 === 0), ...all.filter((id) => id % 2 === 1)].flatMap((id) => [
          ...times.map((time) => `${valueAt(id, time)} ${valueAt(id, time + 1)}`),
          '',
        ]),
      ),
    others: { sizes: () => `${sequences / 2} ${sequences / 2}\n` },
  },
  ucr: {
    settings: { file: 'data/train.ts' },
    content: () =>
      lines([
        '@timeStamps false',
        '@classLabel true up down',
        '@data',
        ...all.map((id) => `${times.map((time) => valueAt(id, time)).join(',')}:${labelOf(id)}`),
      ]),
  },
  'csv-text': {
    settings: { file: 'data/texts.csv', text: 'text', targets: ['label'] },
    content: () => lines(['text,label', ...labelledTexts.map(({ text, label }) => `${text},${label}`)]),
  },
  'jsonl-text': {
    settings: { file: 'data/texts.jsonl', text: 'text', targets: ['label'] },
    content: () => lines(labelledTexts.map((one) => JSON.stringify(one))),
  },
  conll: {
    settings: { file: 'data/sentences.conll' },
    content: () =>
      lines(
        all.flatMap((at) => [
          ...sentenceOf(at).map((word, place) => `${word} ${['O', 'COLOUR', 'ANIMAL', 'O'][place] ?? 'O'}`),
          '',
        ]),
      ),
  },
  text: { settings: { file: 'data/book.txt' }, content: () => paragraph.repeat(120) },
  characters: { settings: { file: 'data/book.txt' }, content: () => paragraph.repeat(40) },
};
