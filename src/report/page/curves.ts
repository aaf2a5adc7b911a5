import { axisLook, createChart } from './chart.ts';
import { choice, element, section } from './dom.ts';
import { palette, themeColour } from './theme.ts';
import { configurationKey, configurationName, showNumber, type ViewState } from './view-state.ts';

interface Band {
  readonly mean: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** Mean, lowest and highest over runs, step by step; null where no run has a value. */
const bandOf = (curves: readonly (readonly (number | null)[])[], length: number): Band => {
  const over = (combine: (values: number[]) => number) =>
    Array.from({ length }, (_, at) => {
      const values = curves.flatMap((curve) => curve[at] ?? []);
      return values.length > 0 ? combine(values) : null;
    });
  return {
    mean: over((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    low: over((values) => Math.min(...values)),
    high: over((values) => Math.max(...values)),
  };
};

/** Learning curves of the chosen configurations: the mean over seeds, in a band from the lowest to the highest seed. */
export const curvesSection = (state: ViewState): HTMLElement | null => {
  const { data } = state;
  const metrics = Object.keys(data.curves);
  let metric = metrics.find((one) => one === 'train/loss') ?? metrics[0];
  if (metric === undefined) return null;

  const shown = () =>
    data.comparison.configurations
      .filter((configuration) => state.drawn.has(configurationKey(configuration)))
      .flatMap((configuration) => {
        const table = data.curves[metric ?? ''];
        const curves = configuration.runs.flatMap((run) => {
          const values = table?.values[run.id];
          return values ? [values] : [];
        });
        return table && curves.length > 0
          ? [
              {
                name: configurationName(data, configuration),
                table,
                band: bandOf(curves, table.steps.length),
                count: curves.length,
              },
            ]
          : [];
      });

  const option = () => {
    const colours = palette();
    const lines = shown();
    return {
      grid: { left: 60, right: 20, top: 16, bottom: 44 },
      xAxis: {
        type: 'value',
        name: 'step',
        nameLocation: 'middle',
        nameGap: 28,
        max: 'dataMax',
        ...axisLook(),
      },
      yAxis: { type: 'value', scale: true, ...axisLook() },
      tooltip: {
        trigger: 'axis',
        confine: true,
        backgroundColor: themeColour('--paper'),
        textStyle: { color: themeColour('--text') },
        valueFormatter: (value: unknown) => (typeof value === 'number' ? showNumber(value) : '–'),
      },
      series: lines.flatMap(({ name, table, band, count }, at) => {
        const color = colours[at % colours.length];
        const points = (values: readonly (number | null)[]) =>
          table.steps.map((step, i) => [step, values[i] ?? null]);
        const mean = {
          name,
          type: 'line',
          showSymbol: table.steps.length < 3,
          data: points(band.mean),
          lineStyle: { color, width: 2, type: at < colours.length ? 'solid' : 'dashed' },
          itemStyle: { color },
        };
        if (count < 2) return [mean];
        // The band is two stacked areas: an unseen one up to the lowest seed, and one from there to the highest.
        const stacked = {
          type: 'line',
          stack: `band ${at}`,
          stackStrategy: 'all',
          symbol: 'none',
          silent: true,
        };
        const edge = { lineStyle: { opacity: 0 }, tooltip: { show: false } };
        const thickness = band.high.map((high, i) => (high === null ? null : high - (band.low[i] ?? high)));
        return [
          { ...stacked, ...edge, data: points(band.low) },
          { ...stacked, ...edge, data: points(thickness), areaStyle: { color, opacity: 0.18 } },
          mean,
        ];
      }),
    };
  };

  const legend = element('ul', { class: 'legend' });
  const drawLegend = () => {
    const colours = palette();
    legend.replaceChildren(
      ...shown().map(({ name, band, count }, at) => {
        const last = band.mean.findLast((value) => value !== null) ?? null;
        const seeds = count > 1 ? ` (${count} runs)` : '';
        const swatch = element('span', {
          class: 'swatch',
          'aria-hidden': 'true',
          style: `background:${colours[at % colours.length]}`,
        });
        return element(
          'li',
          {},
          swatch,
          `${name}${seeds}: ends at ${last === null ? '–' : showNumber(last)}`,
        );
      }),
    );
  };
  const describe = () =>
    `${metric} over training steps, ${shown().length} curves; their ends are in the list below.`;
  const chart = createChart(360, option, describe);
  const draw = () => {
    chart.draw();
    drawLegend();
  };
  state.listen(draw);
  drawLegend();

  const chooser = choice(
    'Metric',
    metrics.map((one) => [one, one]),
    metric,
    (chosen) => {
      metric = chosen;
      draw();
    },
  );
  return section(
    'curves',
    'Learning curves',
    element('p', { class: 'tools' }, chooser),
    chart.figure,
    legend,
    element(
      'p',
      { class: 'note' },
      'Lines are means over seeds, bands reach from the lowest to the highest seed. Choose what is drawn in the table.',
    ),
  );
};
