import type { ParameterIssue } from '../../parameters/row.ts';
import { constantTarget } from '../constant-target.ts';
import type { DataContext, SequenceShape } from '../dataset.ts';
import { describeShape } from '../describe.ts';
import type { DataInspection, PartDescription, PartName } from '../description.ts';
import { keptJson } from '../packed-folder.ts';
import type { SeriesFormat } from './format.ts';
import { openSeries, seriesDigest, type OpenSeries } from './load-series.ts';
import type { SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { rowsIn, type Span } from './split-series.ts';
import { writeTime } from './time-step.ts';
import type { Windows } from './windows.ts';

/** Raised whenever the same series would be described in another way. */
const factsVersion = 2;

/** What a plan needs to know of series; plain JSON. */
interface SeriesFacts {
  readonly shape: SequenceShape;
  readonly inspection: DataInspection;
}

/**
 * Describes and checks the parts of series. It is kept in the cache, so that a process that trains on none of them holds
 * none of them. Throws `DataError` for what cannot be trained on.
 */
export const seriesFacts = async (format: SeriesFormat, context: DataContext): Promise<SeriesFacts> => {
  const { parameters, kind, key } = format;
  const decides = [await seriesDigest(parameters, context), kind, key, parameters];
  return keptJson({ name: 'facts.json', key: ['series facts', factsVersion, decides] }, async () => {
    const open = await openSeries(format, context);
    return { shape: open.shape, inspection: inspectOpen(open, parameters) };
  });
};

const inspectOpen = (open: OpenSeries, parameters: SeriesParameters): DataInspection => {
  const { shape, layout, windows, pack, spans } = open;
  const parts: Partial<Record<PartName, PartDescription>> = {};
  for (const [name, part] of Object.entries(windows) as (readonly [PartName, Windows])[]) {
    parts[name] = describePart(pack, { parameters, span: spans[name], windows: part, steps: shape.steps });
  }
  return {
    description: {
      ...describeShape(shape, { features: layout.names, targets: parameters.targets }),
      parts,
    },
    warnings: [
      ...unevenWarning(pack, parameters),
      ...constantTargets(pack, { parameters, span: spans.train }),
      ...unseenWords(open, parameters),
    ],
  };
};

const describePart = (
  pack: SeriesPack,
  given: {
    readonly parameters: SeriesParameters;
    readonly span: Span;
    readonly windows: Windows;
    readonly steps: number;
  },
): PartDescription => {
  const { parameters, span, windows, steps } = given;
  return {
    sequences: windows.size,
    steps: { min: steps, median: steps, max: steps },
    ranges: parameters.targets.map((_, target) => rangeOf(pack, target, span)),
  };
};

/** The range of a target's values in a part, in the unit of the file. */
const rangeOf = (pack: SeriesPack, target: number, span: Span) => {
  let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
  pack.series.forEach((_, series) =>
    eachValue(pack, { series, target, span }, (value) => {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      count++;
    }),
  );
  return count === 0 ? { min: 0, mean: 0, max: 0 } : { min, mean: sum / count, max };
};

/** Shows the values of a target in a part of a series that are not missing. */
const eachValue = (
  pack: SeriesPack,
  given: { readonly series: number; readonly target: number; readonly span: Span },
  see: (value: number) => void,
): void => {
  const { values, columns } = pack;
  const { first, end } = rowsIn(pack, given.series, given.span);
  for (let row = first; row < end; row++) {
    const value = values[row * columns.length + given.target] as number;
    if (!Number.isNaN(value)) see(value);
  }
};

/** Targets that are the same in the whole training part, or in that of some series. */
const constantTargets = (
  pack: SeriesPack,
  { parameters: { file, targets }, span }: { readonly parameters: SeriesParameters; readonly span: Span },
): readonly ParameterIssue[] =>
  targets.flatMap((name, target) => {
    const found = pack.series.flatMap((series, at) => {
      let [min, max, count] = [Infinity, -Infinity, 0];
      eachValue(pack, { series: at, target, span }, (value) => {
        min = Math.min(min, value);
        max = Math.max(max, value);
        count++;
      });
      return min === max && count > 1 ? [{ series, value: min }] : [];
    });
    const [first] = found;
    if (!first) return [];
    const warning = { file, target: name, value: first.value };
    const all = pack.series.length;
    if (found.length === all && found.every(({ value }) => value === first.value))
      return [constantTarget(warning)];
    return [constantTarget(warning, { series: first.series, count: found.length, of: all })];
  });

const unevenWarning = (
  { unevenLine, times, timeKind }: SeriesPack,
  { file, time }: SeriesParameters,
): readonly ParameterIssue[] =>
  unevenLine === undefined
    ? []
    : [
        {
          path: 'time',
          message: `${file}:${unevenLine}: the times of ${JSON.stringify(time)} are not evenly apart, so each row is one step, however long.`,
          expected: 'rows at even steps, such as one a day',
          got: `${writeTime(times[0] as number, timeKind)} and ${writeTime(times[1] as number, timeKind)} in the first rows`,
          help:
            timeKind === 'number'
              ? 'If the numbers are dates, write them as 2024-01-31; else bring the rows to even steps.'
              : 'Bring the rows to even steps, such as the mean of each hour.',
        },
      ];

/** Static words that the training part never sees. */
const unseenWords = (
  { layout, pack }: OpenSeries,
  { static: statics }: SeriesParameters,
): readonly ParameterIssue[] =>
  layout.statics.flatMap((input, at) => {
    if (input.kind === 'number') return [];
    const unseen = pack.series.filter((_, series) => {
      const text = pack.statics[series]?.[at] ?? '';
      return text !== '' && !input.words.includes(text);
    });
    if (unseen.length === 0) return [];
    return [
      {
        path: 'static',
        message: `${unseen.length} of ${pack.series.length} series have a ${JSON.stringify(statics[at])} that no series of the training part has, such as ${JSON.stringify(unseen[0])}.`,
        expected: 'words that the training part has',
        help: 'Such a word is unknown to the network: all its inputs for the column are 0.',
      },
    ];
  });
