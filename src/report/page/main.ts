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
import { configurationName, createViewState, showNumber } from './view-state.ts';

const headline = (data: ReportData): string => {
  const { objective, configurations } = data.comparison;
  const [best] = configurations;
  if (!best?.objective) return 'No run has a result yet.';
  const spread = best.objective.standardDeviation;
  return (
    `Best: ${configurationName(data, best)}, ${objective.metric} ${showNumber(best.objective.mean)}` +
    (spread === null ? '' : ` ± ${showNumber(spread)} over ${best.objective.count} seeds`)
  );
};

const header = (data: ReportData): HTMLElement => {
  const { experiment, counts } = data.comparison;
  const states = Object.entries(counts).filter(([, count]) => count > 0);
  return element(
    'header',
    {},
    element('h1', {}, experiment),
    element('p', { class: 'headline' }, headline(data)),
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
const spec =
  data.spec &&
  section(
    'spec',
    'Spec',
    element('p', { class: 'note' }, data.spec.path),
    element('pre', { tabindex: 0 }, data.spec.text),
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
      spec,
    ].filter((one) => one !== null),
  ),
);
keepView();
document.documentElement.dataset['ready'] = 'true';
if (data.reloadSeconds !== null) loadAgain(data.reloadSeconds);
