import { choice, element, section } from './dom.ts';
import { firstGroup, settingsOf, showNumber, showValue, type ViewState } from './view-state.ts';

/** The objective over two settings, as a table with tinted boxes; where other settings vary too, their mean. */
export const heatMapSection = ({ data }: ViewState): HTMLElement | null => {
  const { axes, objective } = data.comparison;
  const configurations = firstGroup(data);
  const usable = axes.filter(
    (path) =>
      new Set(configurations.map((configuration) => showValue(configuration.values[path]))).size <= 30,
  );
  let [across, down] = [usable.at(-1), usable[0]];
  if (across === undefined || down === undefined || across === down) return null;

  const holder = element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Heat map' });
  const draw = () => {
    const columns = settingsOf(data, across ?? '');
    const rows = settingsOf(data, down ?? '');
    const means = rows.map((row) =>
      columns.map((column) => {
        const values = configurations.flatMap((configuration) =>
          showValue(configuration.values[down ?? '']) === row &&
          showValue(configuration.values[across ?? '']) === column &&
          configuration.objective
            ? [configuration.objective.mean]
            : [],
        );
        return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
      }),
    );
    const known = means.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const goodness = (value: number) => {
      const share = high > low ? (value - low) / (high - low) : 1;
      return objective.goal === 'maximize' ? share : 1 - share;
    };
    holder.replaceChildren(
      element(
        'table',
        { class: 'heat' },
        element(
          'caption',
          {},
          `${objective.metric}: ${nameOf(down)} down, ${nameOf(across)} across; stronger is better`,
        ),
        element(
          'thead',
          {},
          element('tr', {}, element('td'), ...columns.map((one) => element('th', { scope: 'col' }, one))),
        ),
        element(
          'tbody',
          {},
          ...rows.map((row, at) =>
            element(
              'tr',
              {},
              element('th', { scope: 'row' }, row),
              ...(means[at] ?? []).map((value) =>
                element(
                  'td',
                  {
                    class: 'numeric',
                    style: value === null ? null : `--tint:${Math.round(goodness(value) * 42)}%`,
                  },
                  value === null ? '–' : showNumber(value),
                ),
              ),
            ),
          ),
        ),
      ),
    );
  };
  const nameOf = (path: string | undefined) => data.names[path ?? ''] ?? path ?? '';
  const options = usable.map((path) => [path, nameOf(path)] as const);
  const tools = element(
    'p',
    { class: 'tools' },
    choice('Down', options, down, (path) => {
      down = path;
      draw();
    }),
    ' ',
    choice('Across', options, across, (path) => {
      across = path;
      draw();
    }),
  );
  draw();
  return section('heat-map', 'Two settings', usable.length > 2 && tools, holder);
};
