import { renderTable, type Column } from '../terminal/table.ts';
import type { EvaluationFile, PartEvaluation } from '../record/run-files.ts';

/** Classes that fit on a screen; of more, those of the test part with the worst scores. */
const mostClasses = 20;

const columns: readonly Column[] = [
  { title: '  class', align: 'left', keep: Infinity },
  { title: 'precision', align: 'right', keep: 4 },
  { title: 'recall', align: 'right', keep: 4 },
  { title: 'F1', align: 'right', keep: Infinity },
  { title: 'examples', align: 'right', keep: 3 },
];

/** Precision, recall and F1 of each class on a part of the dataset, as lines; none where there are no classes. */
export const classLines = (
  { scores = [], labels }: PartEvaluation & Pick<EvaluationFile, 'labels'>,
  { width }: { readonly width: number },
): string[] => {
  const named = scores.map((score, index) => ({ ...score, label: labels?.[index] ?? String(index) }));
  const worst = named
    .filter(({ support }) => support > 0)
    .sort((a, b) => a.f1 - b.f1 || b.support - a.support);
  const shown = named.length <= mostClasses ? named : worst.slice(0, mostClasses);
  if (shown.length === 0) return [];
  const rows = shown.map(({ label, precision, recall, f1, support }) =>
    [
      `  ${/\s|^$/.test(label) ? JSON.stringify(label) : label}`,
      precision.toFixed(4),
      recall.toFixed(4),
      f1.toFixed(4),
      String(support),
    ].map((text) => ({ text })),
  );
  const rest = named.length - shown.length;
  return [
    ...renderTable(columns, rows, { width }),
    ...(rest > 0 ? [`  and ${rest} more: evaluation.json has them`] : []),
  ];
};
