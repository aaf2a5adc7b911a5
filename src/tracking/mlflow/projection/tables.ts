import type { EvaluationFile } from '../../run-files.ts';

/** The form of a JSON table that the server shows and compares between runs. */
export interface Table {
  readonly columns: readonly string[];
  readonly data: readonly (readonly (string | number)[])[];
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : Number((part / whole).toFixed(4)));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Precision, recall and F1 of each class from the confusion counts. */
export const classTable = ({ confusion = [], labels }: EvaluationFile): Table => ({
  columns: ['class', 'examples', 'precision', 'recall', 'f1'],
  data: confusion.map((row, label) => {
    const right = row[label] ?? 0;
    const truths = sum(row);
    const predictions = sum(confusion.map((other) => other[label] ?? 0));
    return [
      labels?.[label] ?? String(label),
      truths,
      ratio(right, predictions),
      ratio(right, truths),
      ratio(2 * right, truths + predictions),
    ];
  }),
});

/** The confusion matrix: a row for each true class, a column for each prediction. */
export const confusionTable = ({ confusion = [], labels }: EvaluationFile): Table => {
  const name = (index: number) => labels?.[index] ?? String(index);
  return {
    columns: ['truth', ...confusion.map((_, index) => `predicted ${name(index)}`)],
    data: confusion.map((row, index) => [name(index), ...row]),
  };
};
