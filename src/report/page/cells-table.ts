import type { ComparedCell } from '../compare.ts';
import { element, section } from './dom.ts';
import { bestRun, cellKey, cellName, showNumber, showValue, type ViewState } from './view-state.ts';

interface TableColumn {
  readonly title: string;
  readonly numeric: boolean;
  /** What a row is sorted by; undefined goes last. */
  readonly key: (cell: ComparedCell) => number | string | undefined;
  readonly text: (cell: ComparedCell) => string;
}

const columnsOf = ({ data }: ViewState): TableColumn[] => {
  const { axes, cells, objective } = data.comparison;
  const replicated = cells.some((cell) => cell.runs.length > 1);
  const number = (
    title: string,
    key: (cell: ComparedCell) => number | undefined,
    digits = 4,
  ): TableColumn => ({
    title,
    numeric: true,
    key,
    text: (cell) => {
      const value = key(cell);
      return value === undefined ? '' : showNumber(value, digits);
    },
  });
  const others = [...new Set(cells.flatMap((cell) => Object.keys(cell.metrics)))].filter((name) =>
    name.startsWith('test/'),
  );
  return [
    { title: 'Rank', numeric: false, key: (cell) => cell.rank ?? undefined, text: rankText },
    ...axes.map((path): TableColumn => ({
      title: data.names[path] ?? path,
      numeric: cells.every((cell) => typeof (cell.values[path] ?? 0) === 'number'),
      key: (cell) => {
        const value = cell.values[path];
        return typeof value === 'number' ? value : value === undefined ? undefined : showValue(value);
      },
      text: (cell) => showValue(cell.values[path]),
    })),
    number(objective.metric, (cell) => cell.objective?.mean),
    ...(replicated
      ? [
          number('± std', (cell) => cell.objective?.standardDeviation ?? undefined),
          {
            title: '95% interval',
            numeric: true,
            key: (cell: ComparedCell) => cell.objective?.interval?.[0],
            text: ({ objective: one }: ComparedCell) =>
              one?.interval ? `${showNumber(one.interval[0])} to ${showNumber(one.interval[1])}` : '',
          },
          number('To best', (cell) => cell.difference?.mean),
        ]
      : []),
    ...others.map((metric) => number(metric, (cell) => cell.metrics[metric]?.mean)),
    number(
      'Seconds',
      (cell) => {
        const times = cell.runs.map((run) => run.elapsedMs / 1000).filter((seconds) => seconds > 0);
        return times.length > 0 ? times.reduce((a, b) => a + b, 0) / times.length : undefined;
      },
      1,
    ),
    { title: 'Runs', numeric: false, key: (cell) => runsText(cell), text: runsText },
  ];
};

const rankText = (cell: ComparedCell): string =>
  cell.rank === null ? '–' : `${cell.rank}${cell.best ? ' ★ best' : cell.tied ? ' ≈ tied' : ''}`;

const runsText = ({ runs }: ComparedCell): string => {
  const states = [...new Set(runs.map((run) => run.state))];
  return states.map((state) => `${runs.filter((run) => run.state === state).length} ${state}`).join(', ');
};

/** The comparison as a table that sorts by any column; its checkboxes choose the curves, its buttons the run shown. */
export const cellsSection = (state: ViewState): HTMLElement => {
  const { cells } = state.data.comparison;
  const columns = columnsOf(state);
  const body = element('tbody');
  const rows = new Map(cells.map((cell) => [cell, rowOf(cell, columns, state)]));
  let sorted = { column: 0, ascending: true };

  const sort = () => {
    const key = columns[sorted.column]?.key ?? (() => undefined);
    const sign = sorted.ascending ? 1 : -1;
    const order = [...cells].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return (
        sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
      );
    });
    body.replaceChildren(...order.flatMap((cell) => rows.get(cell) ?? []));
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
  const caption = 'Cells of the sweep; a heading sorts by its column';
  return section(
    'cells',
    'Comparison',
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      element(
        'table',
        { class: 'cells' },
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
  cell: ComparedCell,
  columns: readonly TableColumn[],
  state: ViewState,
): HTMLTableRowElement => {
  const name = cellName(state.data, cell);
  const key = cellKey(cell);
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
        state.runId = bestRun(state.data, cell);
        state.changed();
        document.getElementById('run')?.scrollIntoView();
        document.getElementById('run-title')?.focus();
      },
    },
    'Show',
  );
  return element(
    'tr',
    { class: cell.best ? 'best' : cell.rank === null ? 'without' : null },
    element('td', {}, box, ' ', look),
    ...columns.map((column) =>
      element('td', { class: column.numeric ? 'numeric' : null }, column.text(cell)),
    ),
  );
};
