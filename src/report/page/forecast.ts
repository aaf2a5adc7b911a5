import type { EvaluationFile } from '../../record/run-files.ts';
import { forecastPlots } from '../plot/forecast-charts.ts';
import { element } from './dom.ts';
import { showNumber } from './view-state.ts';

/** The pictures of a forecast, and its errors beside those of the baselines; null for another task. */
export const forecastView = (evaluation: EvaluationFile): HTMLElement | null => {
  const { baselines = [] } = evaluation;
  const plots = forecastPlots(evaluation, '');
  if (plots.length === 0 && baselines.length === 0) return null;
  return element(
    'div',
    {},
    element('h3', {}, 'Forecast of the test part'),
    baselines.length === 0
      ? null
      : element(
          'p',
          {},
          'Mean absolute error without a network (test/skill above 0 beats the best of them): ',
          baselines
            .map(
              ({ name, season, mae }) =>
                `${name}${season === undefined ? '' : ` (season ${season})`} ${showNumber(mae)}`,
            )
            .join(', '),
          '.',
        ),
    // As images, so that the style of a picture stays its own.
    ...plots.map(([name, picture]) =>
      element('img', {
        src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`,
        alt: name === 'error-by-horizon' ? 'Error by steps ahead' : 'Forecast against truth',
        class: 'plot',
      }),
    ),
  );
};
