import { axisLook, createChart } from './chart.ts';
import { element, section } from './dom.ts';
import { themeColour } from './theme.ts';
import { firstGroup, settingsOf, showNumber, showValue, type ViewState } from './view-state.ts';

/** A number with so few values has them all on its axis, at equal distances. */
const fewValues = 8;

/** Every configuration as a line through its settings to its objective; areas on the axes filter the lines. */
export const parallelSection = ({ data }: ViewState): HTMLElement | null => {
  const { axes, objective } = data.comparison;
  const done = firstGroup(data).filter((configuration) => configuration.objective !== null);
  if (axes.length < 2 || done.length < 3) return null;
  const means = done.map((configuration) => configuration.objective?.mean ?? 0);
  const [low, high] = [Math.min(...means), Math.max(...means)];

  const axisOf = (path: string) => {
    const values = done.map((configuration) => configuration.values[path]);
    const numbers = values.filter((value) => typeof value === 'number');
    const different = settingsOf(data, path);
    if (numbers.length < values.length || different.length <= fewValues)
      return { type: 'category', data: different };
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    // A setting that spans ten times or more was most likely chosen on a logarithmic scale.
    return least > 0 && most / least >= 10
      ? { type: 'log', min: least, max: most }
      : { type: 'value', min: least, max: most };
  };

  const kinds = axes.map(axisOf);

  const option = () => ({
    parallel: { left: 60, right: 90, top: 44, bottom: 24 },
    parallelAxis: [
      ...axes.map((path, dim) => ({ dim, name: data.names[path] ?? path, ...kinds[dim], ...axisLook() })),
      {
        ...{ dim: axes.length, name: objective.metric, type: 'value', min: low, max: high },
        ...axisLook((value) => showNumber(value)),
      },
    ],
    series: [
      {
        type: 'parallel',
        smooth: 0.15,
        lineStyle: { width: 2 },
        data: done.map((configuration, at) => {
          const share = high > low ? ((means[at] ?? low) - low) / (high - low) : 1;
          const goodness = objective.goal === 'maximize' ? share : 1 - share;
          const settings = axes.map((path, dim) => {
            const value = configuration.values[path];
            return kinds[dim]?.type !== 'category' && typeof value === 'number' ? value : showValue(value);
          });
          return {
            value: [...settings, means[at]],
            lineStyle: {
              color: configuration.best ? themeColour('--best') : themeColour('--accent'),
              opacity: 0.12 + 0.75 * goodness ** 2,
              width: configuration.best ? 4 : 2,
            },
          };
        }),
      },
    ],
  });
  const describe = () =>
    `${done.length} configurations as lines through ${axes.length} settings to ${objective.metric}. The table above shows the same numbers.`;
  return section(
    'parallel',
    'All settings',
    createChart(340, option, describe).figure,
    element(
      'p',
      { class: 'note' },
      'Stronger lines are better configurations. Drag along an axis to see only the lines that pass there.',
    ),
  );
};
