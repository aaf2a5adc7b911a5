import { strategyOf, type MissingSetting } from '../columns/missing.ts';
import type { SeriesPack } from './series-pack.ts';
import type { FilledSeries } from './fill-series.ts';
import { phaseOf, type CalendarField } from './calendar.ts';
import { knowsAhead, type SeriesParameters } from './parameters.ts';
import type { SeriesScaling } from './scale-series.ts';
import { rowsIn, type Spans } from './split-series.ts';

/**
 * The inputs of a step, side by side: what is observed (targets and past columns), what is known ahead (future columns
 * and the calendar), the static columns of the series, and a flag that is 1 in the steps of the horizon. In those, what
 * is observed is 0, since it is not known yet.
 */
export interface InputLayout {
  readonly names: readonly string[];
  /** How many of the first inputs are observed. */
  readonly observed: number;
  /** Where the flag of the horizon's steps is; undefined where nothing is known ahead, and only the window is read. */
  readonly flag?: number;
  readonly statics: readonly StaticInput[];
}

/** How a static column becomes inputs: one number, or one input for each word of the training part's series. */
export type StaticInput =
  | { readonly kind: 'number'; readonly mean: number; readonly factor: number }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** Measures the static columns on the series of the training part. */
export const fitStatics = (
  pack: SeriesPack,
  parameters: SeriesParameters,
  spans: Spans,
): readonly StaticInput[] => parameters.static.map((_, at) => staticInput(pack, at, { spans, parameters }));

export const layOutInputs = (parameters: SeriesParameters, statics: readonly StaticInput[]): InputLayout => {
  const { targets, past, future, calendar, missing } = parameters;
  const withMasks = (columns: readonly string[]) => [
    ...columns,
    ...maskedOf(columns, missing).map((column) => `${column} is missing`),
  ];
  const observed = withMasks([...targets, ...past]);
  const known = [
    ...withMasks(future),
    ...calendar.flatMap((field) => [`sine of ${field}`, `cosine of ${field}`]),
  ];
  const staticNames = statics.flatMap((input, at) => {
    const column = parameters.static[at] as string;
    return input.kind === 'number' ? [column] : input.words.map((word) => `${column} is ${word}`);
  });
  const names = [...observed, ...known, ...staticNames];
  return knowsAhead(parameters)
    ? { names: [...names, 'horizon'], observed: observed.length, flag: names.length, statics }
    : { names, observed: observed.length, statics };
};

const staticInput = (
  pack: SeriesPack,
  column: number,
  { spans, parameters }: { readonly spans: Spans; readonly parameters: SeriesParameters },
): StaticInput => {
  const texts = pack.statics.map((one) => one[column] as string);
  const trained = texts.filter((text, series) => {
    const { first, end } = rowsIn(pack, series, spans.train);
    return end > first && text !== '';
  });
  const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));
  if (!texts.every((text) => text === '' || isNumber(text))) {
    return { kind: 'words', words: [...new Set(trained)].sort() };
  }
  const numbers = trained.map(Number);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length);
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, numbers.length);
  const factor = variance > 0 ? 1 / Math.sqrt(variance) : 1;
  return parameters.scale === 'none'
    ? { kind: 'number', mean: 0, factor: 1 }
    : { kind: 'number', mean, factor };
};

/** The inputs of every row, `[rows, inputs]`, so that a window is one stretch of it. */
export const inputRows = (given: {
  readonly pack: SeriesPack;
  readonly filled: FilledSeries;
  readonly scaling: SeriesScaling;
  readonly layout: InputLayout;
  readonly parameters: SeriesParameters;
}): Float32Array => {
  const { pack, filled, scaling, layout, parameters } = given;
  const { starts, times, columns } = pack;
  const width = layout.names.length;
  const inputs = new Float32Array(times.length * width);
  const { places, end: calendarAt } = columnPlaces(parameters);
  const staticAt = calendarAt + 2 * parameters.calendar.length;
  for (let series = 0; series + 1 < starts.length; series++) {
    for (let row = starts[series] as number; row < (starts[series + 1] as number); row++) {
      const at = row * width;
      places.forEach(({ value, mask }, column) => {
        const from = row * columns.length + column;
        const of = series * columns.length + column;
        inputs[at + value] =
          ((filled.values[from] as number) - (scaling.mean[of] as number)) * (scaling.factor[of] as number);
        if (mask !== undefined) inputs[at + mask] = filled.gaps?.missing[from] ?? 0;
      });
      writeCalendar(inputs, at + calendarAt, { time: times[row] as number, fields: parameters.calendar });
      writeStatics(inputs, at + staticAt, { statics: layout.statics, texts: pack.statics[series] ?? [] });
    }
  }
  return inputs;
};

/** Where a column of the pack is among the inputs. */
interface ColumnPlace {
  readonly value: number;
  /** Where its indicator is, if it has one. */
  readonly mask?: number;
}

/** What the columns of a series are. */
interface SeriesColumns {
  readonly targets: readonly string[];
  readonly past: readonly string[];
  readonly future: readonly string[];
  readonly missing: MissingSetting;
}

/** Where the columns of the pack are among the inputs: what is observed and its indicators, then what is known ahead and its own. */
export const columnPlaces = ({ targets, past, future, missing }: SeriesColumns) => {
  const observed = sideBySide([...targets, ...past], { missing, from: 0 });
  const known = sideBySide(future, { missing, from: observed.end });
  return {
    /** In the order of the pack. */
    places: [...observed.places, ...known.places],
    /** How many inputs are observed. */
    observed: observed.end,
    end: known.end,
  };
};

const sideBySide = (
  columns: readonly string[],
  { missing, from }: { readonly missing: MissingSetting; readonly from: number },
): { readonly places: readonly ColumnPlace[]; readonly end: number } => {
  const masked = maskedOf(columns, missing);
  const masksFrom = from + columns.length;
  return {
    places: columns.map((column, at) => ({
      value: from + at,
      ...(masked.includes(column) && { mask: masksFrom + masked.indexOf(column) }),
    })),
    end: masksFrom + masked.length,
  };
};

/** The columns that have an indicator. */
const maskedOf = (columns: readonly string[], missing: MissingSetting): readonly string[] =>
  columns.filter((column) => strategyOf(missing, column) === 'mask');

const writeCalendar = (
  into: Float32Array,
  at: number,
  { time, fields }: { readonly time: number; readonly fields: readonly CalendarField[] },
): void => {
  for (let field = 0; field < fields.length; field++) {
    const angle = 2 * Math.PI * phaseOf(fields[field] as CalendarField, time);
    into[at + 2 * field] = Math.sin(angle);
    into[at + 2 * field + 1] = Math.cos(angle);
  }
};

const writeStatics = (
  into: Float32Array,
  at: number,
  { statics, texts }: { readonly statics: readonly StaticInput[]; readonly texts: readonly string[] },
): void => {
  let next = at;
  statics.forEach((input, column) => {
    const text = texts[column] ?? '';
    if (input.kind === 'number') into[next++] = text === '' ? 0 : (Number(text) - input.mean) * input.factor;
    else for (const word of input.words) into[next++] = text === word ? 1 : 0;
  });
};
