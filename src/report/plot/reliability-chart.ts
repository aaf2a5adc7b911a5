import type { PartEvaluation } from '../../record/run-files.ts';
import { renderLineChart } from './line-chart.ts';

const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => ({ at, label: String(at) }));

/**
 * A reliability plot (Guo et al. 2017): how often predictions are right, by how probable the network took them to be. A
 * calibrated network is on the diagonal; below it, the probabilities are too high. Bars show the share of the examples that
 * each point comes from. Undefined where nothing was predicted, and for a task without classes.
 */
const renderReliability = (
  { calibration = [] }: Pick<PartEvaluation, 'calibration'>,
  title: string,
): string | undefined => {
  const bins = calibration.filter(({ rows }) => rows > 0);
  const total = bins.reduce((sum, { rows }) => sum + rows, 0);
  if (total === 0) return undefined;
  const error = bins.reduce(
    (sum, { rows, accuracy, confidence }) => sum + (rows / total) * Math.abs(accuracy - confidence),
    0,
  );
  const width = 1 / calibration.length;
  return renderLineChart({
    title,
    description: `How often predictions of the test part are right, by their probability; the grey bars are the shares of the examples. The expected calibration error is ${error.toFixed(4)}.`,
    xLabel: `probability of the prediction (expected calibration error ${error.toFixed(4)})`,
    yLabel: 'accuracy',
    xTicks: ticks,
    yTicks: ticks.map(({ at }) => at),
    bars: calibration.map(({ rows }, at) => ({
      from: at * width,
      to: (at + 1) * width,
      height: rows / total,
    })),
    series: [
      {
        name: 'network',
        steps: bins.map(({ confidence }) => confidence),
        values: bins.map(({ accuracy }) => accuracy),
      },
      { name: 'calibrated', steps: [0, 1], values: [0, 1], reference: true },
    ],
  });
};

/** The picture of a task with classes, by its name; none of another task. */
export const reliabilityPlots = (
  evaluation: Pick<PartEvaluation, 'calibration'>,
  title: string,
): readonly (readonly [name: string, picture: string])[] => {
  const picture = renderReliability(evaluation, title);
  return picture === undefined ? [] : [['reliability', picture]];
};
