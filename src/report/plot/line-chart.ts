import { shorten, shortenApart } from '../../terminal/shorten.ts';
import { palettes } from '../palette.ts';
import { escapeXml } from '../xml.ts';
import { smooth, thinOut, type Curve } from './thin-out.ts';

interface ChartSeries extends Curve {
  readonly name: string;
  /** What the others are compared with: drawn below them, without dots. */
  readonly reference?: true;
}

export interface LineChart {
  readonly title: string;
  /** One or two sentences for those who do not see the picture. */
  readonly description: string;
  readonly xLabel?: string;
  readonly yLabel: string;
  readonly series: readonly ChartSeries[];
  /** Labels along the horizontal axis, which then reaches from the first to the last; otherwise numbers from 0 on. */
  readonly xTicks?: readonly { readonly at: number; readonly label: string }[];
  /** Labels along the vertical axis, which then reaches from the first to the last; otherwise round numbers. */
  readonly yTicks?: readonly number[];
  /** Pale bars behind the curves. */
  readonly bars?: readonly { readonly from: number; readonly to: number; readonly height: number }[];
  /** Areas between two curves, in the colour of the series at `series`. */
  readonly bands?: readonly Band[];
  /** Where to draw dashed vertical lines. */
  readonly cutoffs?: readonly number[];
  /** Curves that are not noisy: drawn as they are, without a running mean or dots. */
  readonly plain?: true;
}

export interface Band {
  readonly steps: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly series: number;
}

const size = { width: 720, height: 400 } as const;
const margins = { top: 66, right: 20, bottom: 46, left: 64 } as const;
/** The left margin grows up to this for wide numbers. */
const mostLeft = 160;
/** Mean widths of a character in the font of labels and of titles. */
const labelWidth = 7;
const titleWidth = 9;
const drawnPoints = 1000;
/** A curve with at least this many points counts as noisy: it is drawn pale, with its running mean on top. */
const noisyFrom = 60;

const style = `
  .paper { fill: #fff } text { fill: #333; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .grid { stroke: #ddd } .axis { stroke: #777 } .bar { fill: #e8e8e8 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #16181d } text { fill: #ddd } .grid { stroke: #333 } .axis { stroke: #999 } .bar { fill: #262a33 }
  }`;

/** Curves over steps as a standalone SVG picture, light or dark as the reader's system. */
export const renderLineChart = (chart: LineChart): string => {
  const { title, description, xLabel = 'step', yLabel, series, bands = [], cutoffs = [], bars = [] } = chart;
  const edges = bands.flatMap(({ steps, low, high }) => [
    { steps, values: low },
    { steps, values: high },
  ]);
  const points = [...series, ...edges].flatMap(({ steps, values }) =>
    steps.map((step, i) => [step, values[i] ?? NaN] as const).filter(([, value]) => Number.isFinite(value)),
  );
  const extent = (list: readonly number[]): [number, number] =>
    list.length > 0 ? [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))] : [0, 1];
  const xTicks =
    chart.xTicks ??
    niceTicks(0, Math.max(1, extent(points.map(([step]) => step))[1]), 8).map((at) => ({
      at,
      label: tickLabel(at),
    }));
  const yTicks = chart.yTicks ?? niceTicks(...extent(points.map(([, value]) => value)), 6);
  const widest = Math.max(...yTicks.map((tick) => tickLabel(tick).length));
  // The name of the axis, a label, and space around it.
  const left = Math.min(mostLeft, Math.max(margins.left, 32 + widest * labelWidth));
  const margin = { ...margins, left };
  const x = scale(
    xTicks.map(({ at }) => at),
    margin.left,
    size.width - margin.right,
  );
  const y = scale(yTicks, size.height - margin.bottom, margin.top);

  const grid = yTicks.flatMap((tick) => [
    `<line class="grid" x1="${margin.left}" x2="${size.width - margin.right}" y1="${y(tick)}" y2="${y(tick)}"/>`,
    `<text x="${margin.left - 8}" y="${y(tick)}" text-anchor="end" dominant-baseline="middle">${tickLabel(tick)}</text>`,
  ]);
  const bottom = size.height - margin.bottom;
  const base = [
    `<line class="axis" x1="${margin.left}" x2="${size.width - margin.right}" y1="${bottom}" y2="${bottom}"/>`,
    ...xTicks.map(({ at, label }) => {
      // A long label at the left end would begin outside.
      const isOutside = x(at) < (label.length * labelWidth) / 2;
      const place = isOutside ? `x="4" text-anchor="start"` : `x="${x(at)}" text-anchor="middle"`;
      return `<text ${place} y="${bottom + 18}">${escapeXml(label)}</text>`;
    }),
    `<text x="${(margin.left + size.width - margin.right) / 2}" y="${size.height - 8}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    `<text transform="translate(16 ${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(shorten(yLabel, charactersIn(bottom - margin.top, labelWidth)))}</text>`,
  ];
  const colourOf = (at: number) => palettes.both[at % palettes.both.length] ?? '';
  const areas = bands.map(
    ({ steps, low, high, series: at }) =>
      `<path d="${areaOf(widened({ steps, low, high }), x, y)}" fill="${colourOf(at)}" fill-opacity="0.2"/>`,
  );
  const verticals = cutoffs.map(
    (at) =>
      `<line class="axis" stroke-dasharray="2 4" x1="${x(at)}" x2="${x(at)}" y1="${margin.top}" y2="${bottom}"/>`,
  );
  const columns = bars.map(
    ({ from, to, height }) =>
      `<rect class="bar" x="${x(from)}" width="${x(to) - x(from)}" y="${y(height)}" height="${bottom - y(height)}"/>`,
  );
  const curveOf = (one: ChartSeries, at: number) =>
    chart.plain || one.reference
      ? [
          pathElement(one, colourOf(at), { x, y }, boldLine),
          ...dotsOf(one, colourOf(at), { x, y, alone: true }),
        ]
      : drawSeries(one, colourOf(at), x, y);
  const drawn = series.map((one, at) => ({ one, lines: curveOf(one, at) }));
  const curves = [
    ...drawn.filter(({ one }) => one.reference),
    ...drawn.filter(({ one }) => !one.reference),
  ].flatMap(({ lines }) => lines);
  const most = (size.width - margin.right - margin.left) / series.length;
  const nameRoom = charactersIn(most - 44, labelWidth);
  const names = shortenApart(
    series.map(({ name }) => name),
    series.map(() => nameRoom),
    { tail: Math.floor((nameRoom - 1) / 3) },
  );
  let entry = margin.left;
  const legend = names.map((text, at) => {
    const from = entry;
    entry += Math.min(most, Math.max(160, 44 + text.length * labelWidth));
    return (
      `<line x1="${from}" x2="${from + 22}" y1="48" y2="48" stroke="${colourOf(at)}" stroke-width="3"/>` +
      `<text x="${from + 28}" y="48" dominant-baseline="middle">${escapeXml(text)}</text>`
    );
  });

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escapeXml(title)}</title><desc id="description">${escapeXml(description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${size.width}" height="${size.height}"/>`,
    `<text class="title" x="16" y="26">${escapeXml(shorten(title, charactersIn(size.width - 32, titleWidth)))}</text>`,
    ...columns,
    ...grid,
    ...base,
    ...verticals,
    ...areas,
    ...curves,
    ...legend,
    '</svg>\n',
  ].join('\n');
};

type Scale = (value: number) => number;

const scale = (ticks: readonly number[], from: number, to: number): Scale => {
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  return (value) => Math.round((from + ((value - low) / (high - low)) * (to - from)) * 10) / 10;
};

const charactersIn = (pixels: number, characterWidth: number): number =>
  Math.max(3, Math.floor(pixels / characterWidth));

/** A band of a single step gets a width, to be seen. */
const widened = (band: Omit<Band, 'series'>): Omit<Band, 'series'> => {
  const { steps, low, high } = band;
  const [only = 0] = steps;
  if (steps.length !== 1) return band;
  const twice = ([value = NaN]: readonly number[]) => [value, value];
  return { steps: [only - 0.25, only + 0.25], low: twice(low), high: twice(high) };
};

const boldLine = 'stroke-width="2.5" stroke-linejoin="round"';

const pathElement = (
  curve: Curve,
  colour: string,
  { x, y }: { readonly x: Scale; readonly y: Scale },
  look: string,
): string => `<path d="${pathOf(curve, x, y)}" fill="none" stroke="${colour}" ${look}/>`;

/** Along the upper edge and back along the lower one. */
const areaOf = ({ steps, low, high }: Omit<Band, 'series'>, x: Scale, y: Scale): string => {
  const there = steps.map((step, i) => `${x(step)} ${y(high[i] ?? 0)}`);
  const back = steps.map((step, i) => `${x(step)} ${y(low[i] ?? 0)}`).toReversed();
  return `M${[...there, ...back].join('L')}Z`;
};

const drawSeries = (series: ChartSeries, colour: string, x: Scale, y: Scale): string[] => {
  const path = (curve: Curve, look: string) => pathElement(curve, colour, { x, y }, look);
  const thin = thinOut(series, drawnPoints);
  if (series.values.length >= noisyFrom) {
    const mean = {
      steps: series.steps,
      values: smooth(series.values, Math.max(3, series.values.length / 40)),
    };
    return [path(thin, 'stroke-width="1" stroke-opacity="0.35"'), path(thinOut(mean, drawnPoints), boldLine)];
  }
  return [path(thin, boldLine), ...dotsOf(series, colour, { x, y, alone: false })];
};

const isThere = ({ values }: Curve, at: number): boolean => Number.isFinite(values[at] ?? NaN);

/** Lines between neighbours; what is not finite leaves a gap. */
const pathOf = (curve: Curve, x: Scale, y: Scale): string => {
  let path = '';
  for (const [at, step] of curve.steps.entries())
    if (isThere(curve, at))
      path += `${isThere(curve, at - 1) ? 'L' : 'M'}${x(step)} ${y(curve.values[at] ?? NaN)}`;
  return path;
};

/** A dot for each value, or for those that no line shows, since they are between gaps. */
const dotsOf = (
  curve: Curve,
  colour: string,
  given: { readonly x: Scale; readonly y: Scale; readonly alone: boolean },
): string[] =>
  curve.steps.flatMap((step, at) => {
    const isDrawn = given.alone && (isThere(curve, at - 1) || isThere(curve, at + 1));
    if (!isThere(curve, at) || isDrawn) return [];
    return [
      `<circle cx="${given.x(step)}" cy="${given.y(curve.values[at] ?? NaN)}" r="3" fill="${colour}"/>`,
    ];
  });

/** Round numbers (1, 2 or 5 times a power of ten) from just below `low` to just above `high`, about `count` of them. */
export const niceTicks = (low: number, high: number, count: number): number[] => {
  if (!(high > low)) return niceTicks(low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2, count);
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // Multiples by division, so that 3 * 0.1 is 0.3.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
};

/** Ticks as short as they can be and still differ. */
export const tickLabel = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential().replace('e+', 'e');
  return size >= 10_000 ? `${value / 1000}k` : String(value);
};
