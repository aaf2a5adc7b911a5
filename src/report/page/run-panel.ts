import { confusionView } from './confusion.ts';
import { choice, element, section } from './dom.ts';
import { forecastView } from './forecast.ts';
import { reliabilityView } from './reliability.ts';
import { configurationName, showNumber, showValue, type ViewState } from './view-state.ts';

/** One run in detail: why it ended, its configuration, metrics, surroundings, and its mistakes. */
export const runSection = (state: ViewState): HTMLElement | null => {
  const { data } = state;
  const listed = data.comparison.configurations.flatMap((configuration) =>
    configuration.runs.map((run) => ({ configuration, run })),
  );
  if (listed.length === 0) return null;
  const holder = element('div');
  const options = listed.map(({ configuration, run }) => {
    const seed = data.comparison.seeds.length > 1 ? `, seed ${run.seed}` : '';
    return [run.id, `${configurationName(data, configuration)}${seed} (${run.state})`] as const;
  });
  const chooser = element('p', { class: 'tools' });
  const draw = () => {
    const id = state.runId ?? listed[0]?.run.id ?? '';
    chooser.replaceChildren(
      choice('Run', options, id, (chosen) => {
        state.runId = chosen;
        show(chosen);
      }),
    );
    show(id);
  };
  const show = (id: string) => {
    const run = listed.find((one) => one.run.id === id)?.run;
    const details = data.runs[id];
    const evaluation = data.evaluations[id];
    holder.replaceChildren(
      element('p', {}, element('code', {}, id), ` ${run?.state ?? ''}`, run?.reason ? `: ${run.reason}` : ''),
      element(
        'div',
        { class: 'columns' },
        pairs(
          'Metrics',
          Object.entries(details?.metrics ?? {}).map(([name, value]) => [
            name,
            typeof value === 'number' ? showNumber(value) : value,
          ]),
        ),
        pairs(
          'Configuration',
          Object.entries(details?.config ?? {})
            .filter(([, value]) => value !== null)
            .map(([path, value]) => [path, showValue(value)]),
        ),
        pairs('Data', details?.data ?? []),
        pairs('Surroundings', details?.environment ?? []),
      ),
      ...(evaluation
        ? [confusionView(evaluation), reliabilityView(evaluation), forecastView(evaluation)].filter(
            (view) => view !== null,
          )
        : []),
      ...(details ? [inTerminal(details.command, data.besideFolder)] : []),
    );
  };
  state.listen(draw);
  draw();
  const made = section('run', 'One run', chooser, holder);
  made.querySelector('h2')?.setAttribute('tabindex', '-1');
  return made;
};

const inTerminal = (command: string, besideFolder: string | null): HTMLElement =>
  element(
    'p',
    { class: 'note' },
    'In a terminal',
    ...(besideFolder === null ? [] : [', in the folder that contains ', element('code', {}, besideFolder)]),
    ': ',
    element('code', {}, command),
  );

const pairs = (title: string, list: readonly (readonly [string, string])[]): HTMLElement | null =>
  list.length === 0
    ? null
    : element(
        'div',
        {},
        element('h3', {}, title),
        element(
          'dl',
          {},
          ...list.flatMap(([name, text]) => [element('dt', {}, name), element('dd', {}, text)]),
        ),
      );
