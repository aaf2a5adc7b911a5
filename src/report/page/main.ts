import './page.css';
import type { ReportData } from '../report-data.ts';
import { configurationsSection } from './configurations-table.ts';
import { curvesSection } from './curves.ts';
import { element, section } from './dom.ts';
import { heatMapSection } from './heat-map.ts';
import { importanceSection } from './importance.ts';
import { keepView, loadAgain } from './keep-view.ts';
import { parallelSection } from './parallel.ts';
import { runSection } from './run-panel.ts';
import { themeButton } from './theme.ts';
import { configurationName, createViewState, groupName, showNumber } from './view-state.ts';

/** The best of each group, a line each. */
const headlines = (data: ReportData): string[] => {
  const { groups, configurations } = data.comparison;
  const best = configurations.filter((one) => one.best);
  if (best.length === 0) return ['No run has a result yet.'];
  return best.flatMap((one) => {
    const { objective } = one;
    const group = groups[one.group];
    if (!objective || !group) return [];
    const spread = objective.standardDeviation;
    const which = [one.experiment, groupName(group), configurationName(data, one)];
    const shown = data.comparison.experiments.length > 1 ? which : which.slice(1);
    return (
      `Best: ${shown.filter(Boolean).join(', ')}, ${group.objective.metric} ${showNumber(objective.mean)}` +
      (spread === null ? '' : ` ± ${showNumber(spread)} over ${objective.count} seeds`)
    );
  });
};

const sweepsText = ({ comparison }: ReportData): string | null => {
  const { sweeps, otherSweeps, experiments } = comparison;
  if (sweeps.length === 0) return null;
  const when = (frozenAt: number | null) =>
    frozenAt === null ? '' : ` of ${new Date(frozenAt).toLocaleString()}`;
  const list = sweeps.map(
    ({ id, experiment, frozenAt }) =>
      `${id}${when(frozenAt)}${experiments.length > 1 ? ` (${experiment})` : ''}`,
  );
  const others = otherSweeps > 0 ? ` ${otherSweeps} more recorded but not shown.` : '';
  return `Sweep${sweeps.length > 1 ? 's' : ''}: ${list.join('; ')}.${others}`;
};

const header = (data: ReportData): HTMLElement => {
  const { experiment, counts } = data.comparison;
  const sweeps = sweepsText(data);
  const states = Object.entries(counts).filter(([, count]) => count > 0);
  return element(
    'header',
    {},
    element('h1', {}, experiment),
    ...headlines(data).map((line) => element('p', { class: 'headline' }, line)),
    sweeps && element('p', { class: 'note' }, sweeps),
    element(
      'p',
      { class: 'note' },
      `Runs: ${states.map(([state, count]) => `${count} ${state}`).join(', ')}. As of ${new Date(data.generatedAt).toLocaleString()}` +
        (data.reloadSeconds === null ? '.' : `; loads again every ${data.reloadSeconds} s.`),
    ),
    themeButton(),
  );
};

const data = JSON.parse(document.getElementById('data')?.textContent ?? '') as ReportData;
const state = createViewState(data);
const specs = section(
  'spec',
  data.specs.length > 1 ? 'Specs' : 'Spec',
  ...data.specs.flatMap(({ path, text }) => [
    element('p', { class: 'note' }, path),
    element('pre', { tabindex: 0 }, text),
  ]),
);
document.body.replaceChildren(
  header(data),
  element(
    'main',
    {},
    ...[
      configurationsSection(state),
      curvesSection(state),
      heatMapSection(state),
      parallelSection(state),
      importanceSection(state),
      runSection(state),
      specs,
    ].filter((one) => one !== null),
  ),
);
keepView();
document.documentElement.dataset['ready'] = 'true';
if (data.reloadSeconds !== null) loadAgain(data.reloadSeconds);
