import { Type } from '@sinclair/typebox';
import { oneOf, type Described } from '../system/schema.ts';
import { goalOf, type Goal } from '../metrics/metrics.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { find, type LocatedMap } from './located.ts';

export const resolvedObjectiveSchema = Type.Object({
  metric: Type.String(),
  goal: oneOf(['maximize', 'minimize']),
});

/** The metric that runs are compared by, and its better direction. */
export type Objective = Described<typeof resolvedObjectiveSchema>;

/** The words of a message about a goal that contradicts its metric; undefined where the two agree. */
export const contradiction = (
  metric: string,
  written: Goal | undefined,
): { readonly message: string; readonly expected: string; readonly help: string } | undefined => {
  const goal = goalOf(metric);
  if (goal === undefined || written === undefined || goal === written) return undefined;
  const better = goal === 'minimize' ? 'lower' : 'higher';
  return {
    message: `A ${better} ${metric} is better, and the goal is to ${written} it.`,
    expected: `${goal}, which is also the default`,
    help: `Remove \`goal\`, or write \`goal: ${goal}\`.`,
  };
};

/** Runs compared by a metric. Of one that does not exist any goal will do: `checkMetrics` refuses it. */
export const objectiveBy = (metric: string, goal = goalOf(metric)): Objective => ({
  metric,
  goal: goal ?? 'maximize',
});

/** An objective without mistakes in its structure, with the goal that follows from its metric. */
export const readObjective = (
  { metric, goal }: { readonly metric: string; readonly goal?: Goal | undefined },
  root: LocatedMap,
  errors: Diagnostic[],
): Objective => {
  const words = contradiction(metric, goal);
  if (words && goal) {
    const at = (find(root, 'objective', 'goal') ?? find(root, 'objective') ?? root).at;
    errors.push({ code: 'conflict', severity: 'error', at, got: goal, ...words });
  }
  return objectiveBy(metric, goal);
};
