import type { PartEvaluation } from '../record/run-files.ts';

const kinds = [
  ['mae', 'maeByStep'],
  ['rmse', 'rmseByStep'],
  ['smape', 'smapeByStep'],
  ['mase', 'maseByStep'],
  ['coverage', 'coverageByStep'],
] as const;

/** As many steps of a horizon are listed; of more, evenly spaced ones with the first and the last. */
const mostSteps = 12;

/** The errors of a forecast by how many steps ahead it is, as a table. */
export interface StepErrorTable {
  readonly metrics: readonly string[];
  readonly rows: readonly { readonly step: number; readonly values: readonly (number | null)[] }[];
}

/** Undefined for another task, a horizon of one step, and runs of earlier versions. */
export const stepErrorTable = (evaluation: PartEvaluation): StepErrorTable | undefined => {
  const horizon = evaluation.maeByStep?.length ?? 0;
  if (horizon < 2) return undefined;
  const found = kinds.flatMap(([metric, key]) => {
    const values = evaluation[key];
    return values ? [{ metric, values }] : [];
  });
  const count = Math.min(horizon, mostSteps);
  const steps = Array.from({ length: count }, (_, at) => Math.round((at * (horizon - 1)) / (count - 1)));
  return {
    metrics: found.map(({ metric }) => metric),
    rows: steps.map((step) => ({
      step: step + 1,
      values: found.map(({ values }) => values[step] ?? null),
    })),
  };
};
