import type { SequenceShape } from '../data/dataset.ts';
import { taskMetrics } from '../data/task-metrics.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { find } from '../language/located.ts';
import type { Configuration } from './resolve-points.ts';
import { withExtends, type Spec } from '../language/validate-spec.ts';

/** That the objective and every expectation name a metric which the runs record. */
export const checkMetrics = (
  spec: Spec,
  {
    shape,
    configurations,
  }: { readonly shape: SequenceShape; readonly configurations: readonly Configuration[] },
): Diagnostic[] => {
  const { always, atEnd } = taskMetrics(shape.task);
  const evaluated = configurations.some(({ config }) => config.train.evaluateEvery !== null);
  const everywhere = [
    ...[...always, ...atEnd].map((name) => `test/${name}`),
    ...always.map((name) => `train/${name}`),
    ...(evaluated ? always.map((name) => `val/${name}`) : []),
  ];
  const { root } = spec.document;
  const { pruning } = spec.sweep;
  // Where runs are pruned, they are evaluated on the validation split whatever evaluateEvery says.
  const atPauses = always.map((name) => `val/${name}`);
  const problem = (
    metric: string,
    path: readonly (string | number)[],
    recorded: readonly string[] = everywhere,
  ): Diagnostic[] => {
    if (recorded.includes(metric)) return [];
    const unevaluated = !evaluated && always.some((name) => metric === `val/${name}`);
    const near = nearest(metric, recorded);
    return [
      {
        code: 'conflict',
        severity: 'error',
        message: unevaluated
          ? `${metric} is not recorded: nothing is evaluated during the training.`
          : `${metric} is not recorded: the dataset is for ${shape.task.kind}.`,
        at: (find(root, ...path) ?? find(root, ...path.slice(0, -1)) ?? root).at,
        expected: recorded.join(', '),
        got: metric,
        help: unevaluated
          ? 'Add for example `evaluateEvery: 100` to train.'
          : near === undefined
            ? 'Choose one of these.'
            : `Did you mean ${near}?`,
      },
    ];
  };
  return withExtends(spec.document, [
    ...(spec.objective ? problem(spec.objective.metric, ['objective', 'metric']) : []),
    ...(pruning ? problem(pruning.metric, ['sweep', 'pruning', 'metric'], atPauses) : []),
    ...spec.expect.flatMap(({ metric }, index) => problem(metric, ['expect', index, 'metric'])),
  ]);
};
