import { DataError } from '../dataset.ts';
import { allocateBatch, type SequenceShape, type Split } from '../dataset.ts';
import { examplesAtOnce, type ExampleBatch, type TakeExamples } from '../example-batch.ts';
import type { DataFile } from '../files.ts';
import type { SeriesPreprocessing } from '../preprocessing.ts';
import type { SeriesFormat } from './format.ts';
import type { SeriesParameters } from './parameters.ts';
import { readSeries } from './read-series.ts';
import { layOutInputs } from './series-inputs.ts';
import type { SeriesPack } from './series-pack.ts';
import { seriesSplit, type SeriesStore } from './series-split.ts';
import { seriesStore } from './series-store.ts';
import type { Spans } from './split-series.ts';
import { describeStep, timeAfter, writeTime } from './time-step.ts';
import { windowsIn, type Windows } from './windows.ts';

/** How other files become windows: with the statistics of the training part. */
export interface SeriesReading {
  readonly format: SeriesFormat;
  readonly shape: SequenceShape;
  readonly preprocessing: SeriesPreprocessing;
}

/** Forecasts of what comes after the end of a file, some steps at a time. */
export interface Forecast {
  /** Hands on the windows of the part that begins `offset` steps after the end, one for each series. */
  readonly examples: (offset: number, take: (examples: ExampleBatch, firstSeries: number) => void) => void;
  /** Takes forecast values as known, so that steps after them can be forecast. */
  readonly know: (series: number, step: number, values: readonly number[]) => void;
}

/**
 * Opens a file to forecast `steps` steps from the last known target of each series on, of which only those `wanted` must have
 * what is known ahead.
 */
export const openForecast = async (
  file: DataFile,
  reading: SeriesReading,
  { steps, wanted }: { readonly steps: number; readonly wanted: number },
): Promise<Forecast> => {
  const { parameters } = reading.format;
  const read = await readPack(file, reading);
  const origins = originsOf(read, parameters.targets.length);
  checkWindows(read, origins, { parameters, name: file.name });
  const { pack, starts } = extended(read, { origins, horizon: steps, step: reading.preprocessing.step });
  checkFuture(pack, { parameters, origins: starts, horizon: wanted, name: file.name });
  const width = pack.columns.length;
  return {
    examples: (offset, take) => {
      const windows: Windows = {
        size: starts.length,
        originOf: (window) => (starts[window] as number) + offset,
        seriesOf: (window) => window,
      };
      // Inputs beyond what is known now are never read.
      const split = seriesSplit(storeOf(pack, reading), windows);
      eachBatch(split, reading, (examples, first) => {
        const ahead = aheadOf(pack, windows, first, parameters.horizon);
        take({ ...examples, ahead }, first);
      });
    },
    know: (series, step, values) => {
      const row = (starts[series] as number) + step;
      values.forEach((value, target) => (pack.values[row * width + target] = value));
    },
  };
};

/** Hands on every window of a file whose targets are known. */
export const readSeriesExamples = async (
  file: DataFile,
  reading: SeriesReading,
  take: TakeExamples,
): Promise<void> => {
  const { parameters } = reading.format;
  const { task } = reading.shape;
  const read = await readPack(file, reading);
  // Only a model of data with gaps counts the numbers of a window one by one.
  const countsGaps = task.kind === 'forecast' && task.hasGaps === true;
  const pack = countsGaps ? read : untilLastTarget(read, reading);
  const windows = windowsIn(pack, parameters, { from: -Infinity, to: Infinity });
  if (windows.size === 0) {
    throw new DataError({
      path: 'data',
      message: `${file.name} has no window of ${parameters.window} steps with the ${parameters.horizon} steps of the horizon after it.`,
      expected: `a series of at least ${parameters.window + parameters.horizon} steps`,
      help: 'Add rows.',
    });
  }
  const split = seriesSplit(storeOf(pack, reading), windows);
  eachBatch(split, reading, take);
};

const readPack = async (file: DataFile, { format, preprocessing }: SeriesReading): Promise<SeriesPack> => {
  const pack = await readSeries(file, format, { ahead: true });
  const { timeKind, step } = preprocessing;
  const [is, was] = [pack, preprocessing].map((one) => describeStep(one.step, one.timeKind));
  if (pack.timeKind !== timeKind || (pack.fileRows > 2 && step.kind !== 'uneven' && is !== was)) {
    const words = { number: 'numbers', date: 'dates' } as const;
    const differs = pack.timeKind !== timeKind;
    throw new DataError({
      path: 'input',
      message: differs
        ? `The column ${JSON.stringify(format.parameters.time)} of ${file.name} has ${words[pack.timeKind]}, and the model was trained on ${words[timeKind]}.`
        : `The rows of ${file.name} are ${is} apart, and the model was trained on rows ${was} apart.`,
      expected: differs ? words[timeKind] : `a row every ${was}`,
      help: differs
        ? 'Write the times as in the training data.'
        : 'Bring the rows to the steps of the training data.',
    });
  }
  return pack;
};

/** By series: the row after the last one with a target. */
const originsOf = ({ starts, values, columns, series }: SeriesPack, targets: number): readonly number[] =>
  series.map((_, at) => {
    const first = starts[at] as number;
    let row = starts[at + 1] as number;
    const hasTarget = (one: number) =>
      Array.from({ length: targets }, (__, target) => values[one * columns.length + target]).some(
        (value) => !Number.isNaN(value),
      );
    while (row > first && !hasTarget(row - 1)) row--;
    return row;
  });

const nameOf = (pack: SeriesPack, series: number): string =>
  pack.series[series] === '' ? '' : ` of series ${JSON.stringify(pack.series[series])}`;

const checkWindows = (
  pack: SeriesPack,
  origins: readonly number[],
  { parameters: { window }, name }: { readonly parameters: SeriesParameters; readonly name: string },
): void => {
  origins.forEach((origin, series) => {
    const steps = origin - (pack.starts[series] as number);
    if (steps >= window) return;
    throw new DataError({
      path: 'input',
      message: `${name} has ${steps} steps${nameOf(pack, series)} with a target, and the model reads a window of ${window}.`,
      expected: `at least ${window} steps`,
      got: `${steps} steps`,
      help: 'Add earlier rows.',
    });
  });
};

/** The pack without the rows after the last target of a series, which have only what is known ahead. */
const untilLastTarget = (pack: SeriesPack, { format, preprocessing }: SeriesReading): SeriesPack =>
  extended(pack, {
    origins: originsOf(pack, format.parameters.targets.length),
    horizon: 0,
    step: preprocessing.step,
  }).pack;

/** The pack with `horizon` rows after each origin; what the file does not have of them is missing. */
const extended = (
  pack: SeriesPack,
  given: {
    readonly origins: readonly number[];
    readonly horizon: number;
    readonly step: SeriesPreprocessing['step'];
  },
): { readonly pack: SeriesPack; readonly starts: readonly number[] } => {
  const { origins, horizon, step } = given;
  const width = pack.columns.length;
  const times: number[] = [];
  const values: number[] = [];
  const starts = [0];
  const newOrigins: number[] = [];
  pack.series.forEach((_, series) => {
    const [first, end] = [pack.starts[series] as number, pack.starts[series + 1] as number];
    const origin = origins[series] as number;
    newOrigins.push(times.length + origin - first);
    for (let row = first; row < origin + horizon; row++) {
      const isThere = row < end;
      times.push(
        isThere ? (pack.times[row] as number) : timeAfter(step, pack.times[end - 1] as number, row - end + 1),
      );
      for (let column = 0; column < width; column++)
        values.push(isThere ? (pack.values[row * width + column] as number) : Number.NaN);
    }
    starts.push(times.length);
  });
  return {
    pack: { ...pack, times: Float64Array.from(times), values: Float64Array.from(values), starts },
    starts: newOrigins,
  };
};

/** That what must be known ahead is. */
const checkFuture = (
  pack: SeriesPack,
  given: {
    readonly parameters: SeriesParameters;
    readonly origins: readonly number[];
    readonly horizon: number;
    readonly name: string;
  },
): void => {
  const { parameters, origins, horizon, name } = given;
  const width = pack.columns.length;
  parameters.future.forEach((column, at) => {
    const place = width - parameters.future.length + at;
    origins.forEach((origin, series) => {
      for (let row = origin; row < origin + horizon; row++) {
        if (!Number.isNaN(pack.values[row * width + place])) continue;
        const time = writeTime(pack.times[row] as number, pack.timeKind);
        throw new DataError({
          path: 'input',
          message: `${name} has no ${JSON.stringify(column)} at ${time}${nameOf(pack, series)}, which the model reads over the ${horizon} steps that are forecast.`,
          expected: `${column} in ${horizon} rows after the last ${parameters.targets.join(', ')}`,
          help: 'Add rows with the times to forecast, their future columns, and empty targets.',
        });
      }
    });
  });
};

const aheadOf =
  (pack: SeriesPack, windows: Windows, first: number, horizon: number): NonNullable<ExampleBatch['ahead']> =>
  (row) => ({
    series: pack.series[windows.seriesOf(first + row)] as string,
    times: Array.from({ length: horizon }, (_, step) =>
      pack.step.kind === 'uneven'
        ? ''
        : writeTime(pack.times[windows.originOf(first + row) + step] as number, pack.timeKind),
    ),
  });

const eachBatch = (
  split: Split,
  { shape }: SeriesReading,
  take: (examples: ExampleBatch, first: number) => void,
): void => {
  const batch = allocateBatch(shape, examplesAtOnce);
  for (let first = 0; first < split.size; first += examplesAtOnce) {
    const size = Math.min(examplesAtOnce, split.size - first);
    split.read(
      Int32Array.from({ length: size }, (_, at) => first + at),
      batch,
    );
    const { scaling, naiveError, forecast, id } = split;
    take(
      {
        batch,
        shape,
        id: (row) => id?.(first + row) ?? '',
        ...(scaling && { scaling: (row) => scaling(first + row) }),
        ...(naiveError && { naiveError: (row) => naiveError(first + row) }),
        ...(forecast && { forecast }),
      },
      first,
    );
  }
};

/** Everything that windows are read from, with the statistics of the training part. */
const storeOf = (pack: SeriesPack, { format: { parameters }, preprocessing }: SeriesReading): SeriesStore => {
  const known = new Map(preprocessing.series.map((one) => [one.name, one]));
  const scales = pack.series.map((name) => known.get(name) ?? { ...preprocessing.others, naiveErrors: [] });
  const spans = spansOf(preprocessing.ends);
  const scaling = {
    mean: Float64Array.from(scales.flatMap(({ mean }) => mean)),
    factor: Float64Array.from(scales.flatMap(({ factor }) => factor)),
  };
  const means = Float64Array.from(scales.flatMap(({ fill }) => fill));
  const layout = layOutInputs(parameters, preprocessing.statics);
  const naiveErrors = Float64Array.from(
    scales.flatMap((one) => parameters.targets.map((_, at) => one.naiveErrors[at] ?? Number.NaN)),
  );
  const season = preprocessing.season ?? undefined;
  return seriesStore({ pack, parameters, layout, scaling, means, spans, season, naiveErrors });
};

const spansOf = (ends: readonly (number | null)[]): Spans => {
  const [train = Infinity, validation = Infinity, test = Infinity] = ends.map((end) => end ?? Infinity);
  return {
    train: { from: -Infinity, to: train },
    validation: { from: train, to: validation },
    test: { from: validation, to: test },
  };
};
