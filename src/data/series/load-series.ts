import type { DataContext, Dataset, SequenceShape } from '../dataset.ts';
import { DataError } from '../dataset.ts';
import { partNames, partWords, type PartName } from '../description.ts';
import { fileDigest, findDataFile } from '../files.ts';
import { packedFolder } from '../packed-folder.ts';
import { naiveErrorsOf } from './baselines.ts';
import type { SeriesFormat } from './format.ts';
import { completeColumns, missingStrategiesOf, numberColumns, type SeriesParameters } from './parameters.ts';
import { fitSeriesScaling, type FittedScaling } from './scale-series.ts';
import { fitStatics, layOutInputs, type InputLayout } from './series-inputs.ts';
import { openSeriesPack, writeSeriesPack, type SeriesPack } from './series-pack.ts';
import { findSeason } from './season.ts';
import { seriesSplit, type SeriesStore } from './series-split.ts';
import { seriesStore } from './series-store.ts';
import { rowsIn, splitSpans, type Span, type Spans } from './split-series.ts';
import { windowsIn, type Windows } from './windows.ts';
import type { SeriesPreprocessing } from '../preprocessing.ts';

/** Raised whenever the same file and parameters would make another pack. */
const packVersion = 2;

/** The digest of the file's content; everything else that decides the windows is a parameter. */
export const seriesDigest = async ({ file }: SeriesParameters, context: DataContext): Promise<string> =>
  fileDigest(await findDataFile(file, context, 'file'));

/** The series of a file, sorted and with a row for each step; the file is read only where the cache has no pack of it. */
const packedSeries = async (format: SeriesFormat, context: DataContext): Promise<SeriesPack> => {
  const { parameters, kind, key } = format;
  const { time, series, missing } = parameters;
  const complete = completeColumns(parameters);
  const file = await findDataFile(parameters.file, context, 'file');
  const columns = [numberColumns(parameters), parameters.static];
  const decides = [
    kind,
    key,
    time,
    series,
    columns,
    typeof missing === 'string' || complete.length === 0 ? missing === 'error' : complete,
  ];
  const folder = await packedFolder(
    ['series', packVersion, await fileDigest(file), decides],
    async (into) => {
      const { readSeries } = await import('./read-series.ts');
      writeSeriesPack(into, await readSeries(file, format));
    },
  );
  return openSeriesPack(folder);
};

/** Series whose parts and windows are known. */
export interface OpenSeries {
  readonly pack: SeriesPack;
  readonly spans: Spans;
  readonly layout: InputLayout;
  readonly shape: SequenceShape;
  readonly windows: Readonly<Partial<Record<PartName, Windows>>>;
}

/** Opens the series and cuts them into parts. Throws `DataError` where a part has no window. */
export const openSeries = async (format: SeriesFormat, context: DataContext): Promise<OpenSeries> => {
  const { parameters } = format;
  const pack = await packedSeries(format, context);
  checkCalendar(pack, parameters);
  const spans = splitSpans(pack, parameters);
  const layout = layOutInputs(parameters, fitStatics(pack, parameters, spans));
  const { window, horizon } = parameters;
  const wanted = partNames.filter((part) => part !== 'validation' || parameters.split.validation !== 0);
  const windows = Object.fromEntries(
    wanted.map((part) => [part, windowsIn(pack, parameters, spans[part])] as const),
  );
  for (const part of wanted) {
    if (windows[part]?.size === 0) throw withoutWindow(part, { pack, parameters, spans });
  }
  return {
    pack,
    spans,
    layout,
    windows,
    shape: {
      steps: layout.flag === undefined ? window : window + horizon,
      input: { kind: 'values', features: layout.names.length },
      variableLength: false,
      task: {
        kind: 'forecast',
        horizon,
        targets: parameters.targets,
        ...(layout.flag !== undefined && { readsAhead: true }),
        ...(hasGaps(parameters) && { hasGaps: true }),
      },
    },
  };
};

/** Whether targets may be missing. */
const hasGaps = (parameters: SeriesParameters): boolean =>
  missingStrategiesOf({ ...parameters, past: [], future: [] }).some((strategy) => strategy !== 'error');

const checkCalendar = ({ timeKind }: SeriesPack, { calendar, time, file }: SeriesParameters): void => {
  if (calendar.length === 0 || timeKind === 'date') return;
  throw new DataError({
    path: 'calendar',
    message: `calendar needs dates, and the column ${JSON.stringify(time)} of ${file} has numbers.`,
    expected: 'a time column of ISO dates such as 2024-01-31',
    help: 'Remove calendar, or write the times as dates.',
  });
};

const withoutWindow = (
  part: PartName,
  given: { readonly pack: SeriesPack; readonly parameters: SeriesParameters; readonly spans: Spans },
): DataError => {
  const { pack, parameters, spans } = given;
  const { window, horizon, file, fold } = parameters;
  const steps = pack.times.reduce(
    (count, time) => count + (time >= spans[part].from && time < spans[part].to ? 1 : 0),
    0,
  );
  if (!hasTargets(pack, parameters, spans[part])) return withoutTargets(part, { parameters, steps });
  const several = pack.series.length > 1 ? ` over ${pack.series.length} series` : '';
  // Of all steps, with some to spare.
  const share = Math.min(0.4, Math.ceil((120 * horizon) / (pack.times.length / pack.series.length)) / 100);
  const splitOf = (least: number) => {
    const { validation, test } = parameters.split;
    const atLeast = (border: number | string) =>
      typeof border === 'number' && border > 0 && border < 1 ? Math.max(border, least) : border;
    return `{ validation: ${atLeast(validation)}, test: ${atLeast(test)} }`;
  };
  const needed = part === 'train' ? window + horizon : horizon;
  return new DataError({
    path: part === 'train' ? 'window' : fold === null ? `split.${part}` : 'rolling',
    message:
      part === 'train'
        ? `The training part of ${file} has ${steps} steps${several}, too few for a window of ${window} and a horizon of ${horizon}.`
        : `The ${partWords[part]} part of ${file} has ${steps} steps${several}, and no window of ${window} steps with the ${horizon} of the horizon fits.`,
    expected: `at least ${needed} steps in a series`,
    got: `${steps} of ${pack.times.length} steps`,
    help:
      part === 'train'
        ? 'Lower window or horizon, or make the validation and the test part smaller with split.'
        : `Make the part larger, for example \`split: ${splitOf(share)}\`, or lower horizon${fold === null ? '' : ' or rolling'}.`,
  });
};

/** Whether any target has a value in a span. */
const hasTargets = (pack: SeriesPack, { targets }: SeriesParameters, span: Span): boolean => {
  const width = pack.columns.length;
  return pack.series.some((_, series) => {
    const { first, end } = rowsIn(pack, series, span);
    const rows = pack.values.subarray(first * width, end * width);
    return rows.some((value, at) => at % width < targets.length && !Number.isNaN(value));
  });
};

const withoutTargets = (
  part: PartName,
  { parameters, steps }: { readonly parameters: SeriesParameters; readonly steps: number },
): DataError => {
  const { file, targets } = parameters;
  const names = targets.map((name) => JSON.stringify(name)).join(', ');
  return new DataError({
    path: 'targets',
    message: `The ${partWords[part]} part of ${file} has ${steps} steps, and none of them has a value of ${names}.`,
    expected: 'values of a target in each part',
    got: 'none',
    help: `Fill in values, remove the rows without one at the end of the file, or choose other parts with split.`,
  });
};

/** Loads the windows of every part. Statistics are those of the training part. */
export const loadSeries = async (format: SeriesFormat, context: DataContext): Promise<Dataset> => {
  const { parameters } = format;
  const { pack, spans, layout, windows, shape } = await openSeries(format, context);
  const fitted = fitSeriesScaling(pack, parameters.scale, spans.train);
  const { scaling, means } = fitted;
  const season = parameters.season ?? findSeason(pack, spans.train);
  const baselineGiven = { pack, parameters, season, means };
  const store = seriesStore({
    ...{ ...baselineGiven, layout, scaling, spans },
    naiveErrors: naiveErrorsOf(baselineGiven, spans.train),
  });
  const split = (part: PartName) => seriesSplit(store, windows[part] as Windows);
  return {
    shape,
    preprocessing: seriesPreprocessing(store, { fitted, spans, season }),
    train: split('train'),
    ...(windows.validation && { validation: split('validation') }),
    test: split('test'),
  };
};

/** What was measured on the training part, by the names of series and columns. */
const seriesPreprocessing = (
  { pack, parameters, layout, naiveErrors }: SeriesStore,
  given: { readonly fitted: FittedScaling; readonly spans: Spans; readonly season: number | undefined },
): SeriesPreprocessing => {
  const { fitted, spans, season } = given;
  const { scaling, means, pooled } = fitted;
  const width = pack.columns.length;
  const targets = parameters.targets.length;
  return {
    kind: 'series',
    timeKind: pack.timeKind,
    step: pack.step,
    columns: pack.columns,
    series: pack.series.map((name, series) => {
      const of = (values: Float64Array) => [...values.subarray(series * width, (series + 1) * width)];
      const errors = naiveErrors.subarray(series * targets, (series + 1) * targets);
      return {
        name,
        mean: of(scaling.mean),
        factor: of(scaling.factor),
        fill: of(means),
        naiveErrors: Array.from(errors, orNull),
      };
    }),
    others: { mean: [...pooled.mean], factor: [...pooled.factor], fill: pooled.means },
    statics: layout.statics.map((input, at) => ({ name: parameters.static[at] ?? '', ...input })),
    ends: [spans.train.to, spans.validation.to, spans.test.to].map(orNull),
    season: season ?? null,
    scaledTargets: true,
  };
};

/** JSON has neither NaN nor infinities. */
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
