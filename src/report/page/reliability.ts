import type { EvaluationFile } from '../../record/run-files.ts';
import { reliabilityPlots } from '../plot/reliability-chart.ts';
import { element, svgImage } from './dom.ts';

/** How often predictions are right, by their probability; null for a task without classes. */
export const reliabilityView = (evaluation: EvaluationFile): HTMLElement | null => {
  const plots = reliabilityPlots(evaluation, '');
  if (plots.length === 0) return null;
  return element(
    'div',
    {},
    element('h3', {}, 'Reliability'),
    element(
      'p',
      {},
      'How often predictions of the test part are right, by the probability that the network gives them. Below the diagonal the probabilities are too high. Grey bars are the shares of the examples.',
    ),
    ...plots.map(([, picture]) => svgImage(picture, 'Accuracy by the probability of the prediction')),
  );
};
