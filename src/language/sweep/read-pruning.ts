import { goalOf, validationCounterpart } from '../../metrics/metrics.ts';
import { find, type LocatedMap } from '../located.ts';
import type { Objective, Pruning } from '../config.ts';
import type { SweepContext } from './read-choice.ts';
import type { SweepSection } from './section.ts';

interface Input {
  readonly section: SweepSection;
  readonly node: LocatedMap;
  readonly objective: Objective | 'wrong' | undefined;
}

/** What a sweep that decides by results needs: something to decide by. Nothing else may ask for `lookahead`. */
export const checkResults = (context: SweepContext, { section, node, objective }: Input): void => {
  const { method, pruning } = section;
  const asks = node.entries.get(method === 'tpe' ? 'method' : 'pruning');
  const lookahead = node.entries.get('lookahead');
  if (method !== 'tpe' && !pruning) {
    if (lookahead) {
      context.report({
        code: 'conflict',
        message: 'lookahead is for sweeps that decide by results.',
        at: lookahead.key,
        expected: 'method: tpe, or pruning',
        got: `method: ${method} without pruning`,
        help: 'Remove lookahead; run.concurrency sets how many runs train at once.',
      });
    }
    return;
  }
  if (objective === undefined) {
    context.report({
      code: 'missing-key',
      message: `${method === 'tpe' ? 'The method tpe' : 'pruning'} decides by the objective, and the spec names none.`,
      at: asks?.value.at ?? node.at,
      expected: 'objective: { metric: ... } at the top level',
      got: 'nothing',
      help: 'Add for example `objective: { metric: val/accuracy }` at the top level of the spec.',
    });
  }
};

/** Which keys belong to which rule, besides those that both have. */
const ownKeys = { asha: ['reductionFactor'], median: ['everySteps', 'minRuns'] } as const;

/** Reads `pruning`, once its structure is valid. */
export const readPruning = (context: SweepContext, { section, node, objective }: Input): Pruning | null => {
  const { pruning } = section;
  const written = find(node, 'pruning');
  if (!pruning || written?.kind !== 'map') return null;
  const other = pruning.name === 'asha' ? 'median' : 'asha';
  for (const key of ownKeys[other]) {
    const entry = written.entries.get(key);
    if (!entry) continue;
    context.report({
      code: 'conflict',
      message: `${key} is a key of ${other}, not of ${pruning.name}.`,
      at: entry.key,
      expected: ['minSteps', 'metric', ...ownKeys[pruning.name]].join(', '),
      got: key,
      help: `Remove ${key}, or write \`name: ${other}\`.`,
    });
  }
  const counterpart = typeof objective === 'object' ? validationCounterpart(objective.metric) : undefined;
  const metric = pruning.metric ?? counterpart ?? 'val/loss';
  // The goal of a metric that does not exist does not matter: `checkMetrics` rejects it.
  const shared = { metric, goal: goalOf(metric) ?? 'minimize', minSteps: pruning.minSteps };
  return pruning.name === 'asha'
    ? { name: 'asha', ...shared, reductionFactor: pruning.reductionFactor ?? 3 }
    : {
        name: 'median',
        ...shared,
        everySteps: pruning.everySteps ?? pruning.minSteps,
        minRuns: pruning.minRuns ?? 5,
      };
};
