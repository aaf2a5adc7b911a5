import type { ComparedConfiguration } from '../compare.ts';
import { element, section } from './dom.ts';
import {
  bestRun,
  configurationKey,
  configurationName,
  showNumber,
  showValue,
  type ViewState,
} from './view-state.ts';

interface TableColumn {
  readonly title: string;
  readonly numeric: boolean;
  /** What a row is sorted by; undefined goes last. */
  readonly key: (configuration: ComparedConfiguration) => number | string | undefined;
  readonly text: (configuration: ComparedConfiguration) => string;
}

const columnsOf = ({ data }: ViewState): TableColumn[] => {
  const { axes, configurations, objective } = data.comparison;
  const replicated = configurations.some((configuration) => configuration.runs.length > 1);
  const number = (
    title: string,
    key: (configuration: ComparedConfiguration) => number | undefined,
    digits = 4,
  ): TableColumn => ({
    title,
    numeric: true,
    key,
    text: (configuration) => {
      const value = key(configuration);
      return value === undefined ? '' : showNumber(value, digits);
    },
  });
  const others = [
    ...new Set(configurations.flatMap((configuration) => Object.keys(configuration.metrics))),
  ].filter((name) => name.startsWith('test/'));
  return [
    {
      title: 'Rank',
      numeric: false,
      key: (configuration) => configuration.rank ?? undefined,
      text: rankText,
    },
    ...axes.map((path): TableColumn => ({
      title: data.names[path] ?? path,
      numeric: configurations.every((configuration) => typeof (configuration.values[path] ?? 0) === 'number'),
      key: (configuration) => {
        const value = configuration.values[path];
        return typeof value === 'number' ? value : value === undefined ? undefined : showValue(value);
      },
      text: (configuration) => showValue(configuration.values[path]),
    })),
    number(objective.metric, (configuration) => configuration.objective?.mean),
    ...(replicated
      ? [
          number('± std', (configuration) => configuration.objective?.standardDeviation ?? undefined),
          {
            title: '95% interval',
            numeric: true,
            key: (configuration: ComparedConfiguration) => configuration.objective?.interval?.[0],
            text: ({ objective: one }: ComparedConfiguration) =>
              one?.interval ? `${showNumber(one.interval[0])} to ${showNumber(one.interval[1])}` : '',
          },
          number('To best', (configuration) => configuration.difference?.mean),
        ]
      : []),
    ...others.map((metric) => number(metric, (configuration) => configuration.metrics[metric]?.mean)),
    number(
      'Seconds',
      (configuration) => {
        const times = configuration.runs.map((run) => run.elapsedMs / 1000).filter((seconds) => seconds > 0);
        return times.length > 0 ? times.reduce((a, b) => a + b, 0) / times.length : undefined;
      },
      1,
    ),
    { title: 'Runs', numeric: false, key: (configuration) => runsText(configuration), text: runsText },
  ];
};

const rankText = (configuration: ComparedConfiguration): string =>
  configuration.rank === null
    ? '–'
    : `${configuration.rank}${configuration.best ? ' ★ best' : configuration.tied ? ' ≈ tied' : ''}`;

const runsText = ({ runs }: ComparedConfiguration): string => {
  const states = [...new Set(runs.map((run) => run.state))];
  return states.map((state) => `${runs.filter((run) => run.state === state).length} ${state}`).join(', ');
};

/** The comparison as a table that sorts by any column; its checkboxes choose the curves, its buttons the run shown. */
export const configurationsSection = (state: ViewState): HTMLElement => {
  const { configurations } = state.data.comparison;
  const columns = columnsOf(state);
  const body = element('tbody');
  const rows = new Map(
    configurations.map((configuration) => [configuration, rowOf(configuration, columns, state)]),
  );
  let sorted = { column: 0, ascending: true };

  const sort = () => {
    const key = columns[sorted.column]?.key ?? (() => undefined);
    const sign = sorted.ascending ? 1 : -1;
    const order = [...configurations].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return (
        sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
      );
    });
    body.replaceChildren(...order.flatMap((configuration) => rows.get(configuration) ?? []));
    for (const [at, head] of heads.entries()) {
      head.setAttribute(
        'aria-sort',
        at === sorted.column ? (sorted.ascending ? 'ascending' : 'descending') : 'none',
      );
    }
  };
  const heads = columns.map((column, at) =>
    element(
      'th',
      { scope: 'col', class: column.numeric ? 'numeric' : null },
      element(
        'button',
        {
          type: 'button',
          onclick: () => {
            sorted = { column: at, ascending: sorted.column === at ? !sorted.ascending : true };
            sort();
          },
        },
        // A long name breaks behind its part of the data.
        ...column.title.split(/(?<=\/)/).flatMap((part, index) => [index > 0 && element('wbr'), part]),
      ),
    ),
  );
  sort();
  const caption = 'Configurations of the sweep; a heading sorts by its column';
  return section(
    'configurations',
    'Comparison',
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      element(
        'table',
        { class: 'configurations' },
        element('caption', { class: 'hidden' }, caption),
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Curve, run'), ...heads)),
        body,
      ),
    ),
    element(
      'p',
      { class: 'note' },
      '≈ tied: the 95% interval of the difference to the best, over shared seeds, holds zero.',
    ),
  );
};

const rowOf = (
  configuration: ComparedConfiguration,
  columns: readonly TableColumn[],
  state: ViewState,
): HTMLTableRowElement => {
  const name = configurationName(state.data, configuration);
  const key = configurationKey(configuration);
  const box = element('input', {
    type: 'checkbox',
    checked: state.drawn.has(key),
    'aria-label': `Draw the curve of ${name}`,
    onchange: () => {
      if (box.checked) state.drawn.add(key);
      else state.drawn.delete(key);
      state.changed();
    },
  });
  const look = element(
    'button',
    {
      type: 'button',
      'aria-label': `Show the best run of ${name}`,
      onclick: () => {
        state.runId = bestRun(state.data, configuration);
        state.changed();
        document.getElementById('run')?.scrollIntoView();
        document.getElementById('run-title')?.focus();
      },
    },
    'Show',
  );
  return element(
    'tr',
    { class: configuration.best ? 'best' : configuration.rank === null ? 'without' : null },
    element('td', {}, box, ' ', look),
    ...columns.map((column) =>
      element('td', { class: column.numeric ? 'numeric' : null }, column.text(configuration)),
    ),
  );
};
