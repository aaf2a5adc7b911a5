import { element, section } from './dom.ts';
import type { ViewState } from './view-state.ts';

/** How much of the objective's variation each setting explains, as bars. */
export const importanceSection = ({ data }: ViewState): HTMLElement | null => {
  if (data.importances.length === 0) return null;
  return section(
    'importance',
    'What matters',
    element(
      'table',
      { class: 'bars' },
      element(
        'caption',
        { class: 'hidden' },
        'Share of the variation of the objective that each setting explains by itself',
      ),
      element(
        'tbody',
        {},
        ...data.importances.map(({ path, share }) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row' }, data.names[path] ?? path),
            element('td', { class: 'bar' }, element('span', { style: `width:${(share * 100).toFixed(1)}%` })),
            element('td', { class: 'numeric' }, `${Math.round(share * 100)}%`),
          ),
        ),
      ),
    ),
    element(
      'p',
      { class: 'note' },
      `Share of the variance of ${data.comparison.objective.metric} between configurations that lies between the values of one setting (η²). ` +
        'Settings that act only together show less than they matter.',
    ),
  );
};
