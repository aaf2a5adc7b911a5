import { LineChart, ParallelChart } from 'echarts/charts';
import { GridComponent, ParallelComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { element } from './dom.ts';
import { onThemeChange, themeColour } from './theme.ts';

use([LineChart, ParallelChart, GridComponent, ParallelComponent, TooltipComponent, CanvasRenderer]);

export interface Chart {
  readonly figure: HTMLElement;
  /** Draws again after what it shows has changed. */
  readonly draw: () => void;
}

/**
 * A chart that is drawn when it first comes into view, and again when the theme or the width changes. `describe` puts in
 * words what it shows.
 */
export const createChart = (
  height: number,
  option: () => EChartsCoreOption,
  describe: () => string,
): Chart => {
  const canvas = element('div', { class: 'chart', role: 'img', style: `height:${height}px` });
  let chart: EChartsType | undefined;

  const draw = () => {
    canvas.setAttribute('aria-label', describe());
    if (!chart) return;
    const text = themeColour('--text');
    chart.setOption(
      {
        animation: false,
        textStyle: { color: text, fontFamily: themeColour('--font') },
        backgroundColor: 'transparent',
        ...option(),
      },
      { notMerge: true },
    );
  };

  const seen = new IntersectionObserver(
    (entries) => {
      if (chart || !entries.some((entry) => entry.isIntersecting)) return;
      chart = init(canvas);
      draw();
      new ResizeObserver(() => chart?.resize()).observe(canvas);
      seen.disconnect();
    },
    { rootMargin: '200px' },
  );
  seen.observe(canvas);
  onThemeChange(draw);
  draw();
  return { figure: element('figure', {}, canvas), draw };
};

/** Colours of axes, as the theme has them. Labels have the colour of the page behind them: lines pass below. */
export const axisLook = (label?: (value: number) => string) => ({
  axisLabel: {
    color: themeColour('--muted'),
    backgroundColor: themeColour('--paper'),
    padding: [1, 3],
    hideOverlap: true,
    ...(label && { formatter: label }),
  },
  axisLine: { lineStyle: { color: themeColour('--line') } },
  splitLine: { lineStyle: { color: themeColour('--line') } },
  nameTextStyle: { color: themeColour('--text') },
});
