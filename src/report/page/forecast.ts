import type { EvaluationFile } from '../../record/run-files.ts';
import { forecastPlots } from '../plot/forecast-charts.ts';
import { stepErrorTable } from '../step-errors.ts';
import { element, svgImage } from './dom.ts';
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
    stepErrors(evaluation),
    ...plots.map(([name, picture]) => svgImage(picture, describe(name))),
  );
};

const describe = (plot: string): string => {
  if (plot === 'error-by-horizon') return 'Error by steps ahead';
  return plot === 'coverage-by-horizon' ? 'Coverage by steps ahead' : 'Forecast against truth';
};

const stepErrors = (evaluation: EvaluationFile): HTMLElement | null => {
  const table = stepErrorTable(evaluation);
  if (!table) return null;
  const head = ['steps ahead', ...table.metrics].map((title) => element('th', { scope: 'col' }, title));
  const rows = table.rows.map(({ step, values }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, String(step)),
      ...values.map((value) => element('td', { class: 'numeric' }, value === null ? '·' : showNumber(value))),
    ),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Errors by steps ahead' },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)),
  );
};
