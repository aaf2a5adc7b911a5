import { findInput } from '../prediction/find-input.ts';
import { evaluateFiles, type Evaluation } from '../prediction/evaluate.ts';
import type { InputKind } from '../prediction/formats.ts';
import { openNamedModel } from '../prediction/open-named-model.ts';
import { predictFiles } from '../prediction/predict.ts';
import { registryFor } from '../prediction/registry.ts';
import type { Cell } from '../training/predicted-row.ts';
import { unwrap } from './error.ts';

/** A row of predictions, as `unroll predict` writes it. */
export type Prediction = Readonly<Record<string, Cell>>;

export interface UseSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
}

export interface EvaluateSettings extends UseSettings {
  /** The kind of the data; by its name by default. */
  readonly inputFormat?: InputKind;
}

export interface PredictSettings extends EvaluateSettings {
  /** Forecast this many steps after the end of the file; the model's horizon by default. */
  readonly horizon?: number;
}

const noStream = process.stdin;

/** See `predict` in `src/index.ts`. */
export const predict = async (
  model: string | readonly string[],
  input: string,
  { runsDirectory = 'runs', horizon, inputFormat: kind }: PredictSettings = {},
): Promise<readonly Prediction[]> => {
  const opened = await Promise.all(
    [model].flat().map((reference) => openNamedModel(reference, { runsDirectory })),
  );
  const models = opened.map(unwrap);
  const registry = unwrap(await registryFor(models, process.cwd()));
  const { files, close } = unwrap(await findInput(input, { stream: noStream, parameter: 'input' }));
  const rows: Prediction[] = [];
  try {
    unwrap(
      await predictFiles(models, { files, registry, horizon, kind }, (row) =>
        rows.push(Object.fromEntries(row)),
      ),
    );
  } finally {
    close();
  }
  return rows;
};

/** See `evaluate` in `src/index.ts`. */
export const evaluate = async (
  reference: string,
  data: string,
  { runsDirectory = 'runs', inputFormat: kind }: EvaluateSettings = {},
): Promise<Evaluation> => {
  const model = unwrap(await openNamedModel(reference, { runsDirectory }));
  const registry = unwrap(await registryFor([model], process.cwd()));
  const { files, close } = unwrap(await findInput(data, { stream: noStream, parameter: 'data' }));
  try {
    return unwrap(await evaluateFiles(model, { files, registry, kind }));
  } finally {
    close();
  }
};
