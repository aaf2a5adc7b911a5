import type { EvaluationFile, ExampleImage, ExamplePrediction } from '../../record/run-files.ts';

type Confusion = NonNullable<EvaluationFile['confusion']>;

/** The form of a JSON table that the server shows and compares between runs. */
interface Table {
  readonly columns: readonly string[];
  readonly data: readonly (readonly (string | number)[])[];
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : Number((part / whole).toFixed(4)));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const labelIn =
  ({ labels }: EvaluationFile) =>
  (index: number): string =>
    labels?.[index] ?? String(index);

/** Precision, recall and F1 of each class from the confusion counts. */
const classTable = (evaluation: EvaluationFile, confusion: Confusion): Table => ({
  columns: ['class', 'examples', 'precision', 'recall', 'f1'],
  data: confusion.map((row, label) => {
    const right = row[label] ?? 0;
    const truths = sum(row);
    const predictions = sum(confusion.map((other) => other[label] ?? 0));
    return [
      labelIn(evaluation)(label),
      Number(truths.toPrecision(9)),
      ratio(right, predictions),
      ratio(right, truths),
      ratio(2 * right, truths + predictions),
    ];
  }),
});

/** The confusion matrix: a row for each true class, a column for each prediction. */
const confusionTable = (evaluation: EvaluationFile, confusion: Confusion): Table => {
  const name = labelIn(evaluation);
  return {
    columns: ['truth', ...confusion.map((_, index) => `predicted ${name(index)}`)],
    data: confusion.map((row, index) => [name(index), ...row.map((count) => Number(count.toPrecision(9)))]),
  };
};

/**
 * Example by example what the network predicted. The examples are the same in every run, so that each run is a column in the
 * server's comparison of tables, which at first groups by the first column and compares the second.
 */
const predictionTable = (evaluation: EvaluationFile, predictions: readonly ExamplePrediction[]): Table => {
  const name = labelIn(evaluation);
  return {
    columns: ['example: class', 'prediction', 'probability', 'right'],
    data: predictions.map(({ index, truth, prediction, probability }) => [
      `${index}: ${name(truth)}`,
      name(prediction),
      probability,
      truth === prediction ? 'yes' : 'no',
    ]),
  };
};

/** What the image `mistakes` shows, row by row. */
const mistakeTable = (evaluation: EvaluationFile, images: readonly ExampleImage[]): Table => {
  const name = labelIn(evaluation);
  return {
    columns: ['place', 'example', 'class', 'prediction'],
    data: images.map(({ index, truth, prediction }, place) => [
      place + 1,
      index,
      name(truth),
      name(prediction),
    ]),
  };
};

/** The tables of an end evaluation by their paths, as far as its task has them. */
export const evaluationTables = (
  evaluation: EvaluationFile,
): readonly { readonly path: string; readonly table: Table }[] => {
  const { confusion, predictions = [], images = [] } = evaluation;
  const at = (name: string, table: Table) => ({ path: `tables/${name}.json`, table });
  return [
    ...(predictions.length > 0 ? [at('predictions', predictionTable(evaluation, predictions))] : []),
    ...(images.length > 0 ? [at('mistakes', mistakeTable(evaluation, images))] : []),
    ...(confusion
      ? [
          at('classes', classTable(evaluation, confusion)),
          at('confusion', confusionTable(evaluation, confusion)),
        ]
      : []),
  ];
};
