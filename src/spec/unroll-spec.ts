import type { DataContext, SequenceShape } from '../data/dataset.ts';
import { failure, success, unreachable, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { shortHash } from './canonical.ts';
import { checkMetrics } from './check-metrics.ts';
import { resolveExecution, type Machine } from './execution.ts';
import { find } from './located.ts';
import type { Objective, Plan, Run } from './plan.ts';
import { resolvePoints, type Cell } from './resolve-points.ts';
import { gridPoints } from './sweep/grid.ts';
import { groundOf } from './sweep/point-values.ts';
import { searchPoints } from './sweep/search.ts';
import type { Point } from './sweep/sweep.ts';
import { varyingPaths, varyingReader } from './varying.ts';
import type { Spec } from './validate-spec.ts';

export interface UnrollOptions {
  /** The command line's `--concurrency`; has no influence on the threads of a run. */
  readonly concurrency?: number;
  /** `--yes`: more runs than `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
  /** Hears how far large data files are read. */
  readonly reading?: DataContext['reading'];
}

/**
 * Unrolls a spec into its plan:
 *
 *     points of the sweep -> cells (validated, equal ones merged) -> runs (a cell and a seed) -> plan
 *
 * The order is that of the file, the last axis fastest and seeds fastest of all.
 */
export const unrollSpec = async (
  spec: Spec,
  machine: Machine,
  options: UnrollOptions = {},
): Promise<Result<Plan>> => {
  const { sweep } = spec;
  const ground = groundOf(spec.registry, spec.base);
  const points = sweep.method === 'grid' ? gridPoints(sweep, ground) : searchPoints(sweep, ground);
  if (!points.ok) return points;
  const notices = [...points.notices];

  const { seeds } = spec;
  const tooMany = checkCount(spec, { points: points.value.length, seeds: seeds.length });
  if (tooMany && !options.allowManyRuns) return failure(tooMany);

  const resolved = await resolvePoints(spec, points.value, options.reading);
  if (!resolved.ok) return resolved;
  const { cells, merged, shape } = resolved.value;
  const unrecorded = checkMetrics(spec, { shape, cells });
  if (unrecorded.length) return failure(...unrecorded);
  if (merged.length) notices.push(mergedPoints(spec, { merged, cells: cells.length }));

  const paths = varyingPaths(sweep, cells);
  const varying = varyingReader(paths);
  const runs = cells.flatMap((cell) =>
    runsOf(cell, { experiment: spec.experiment, seeds, varying: varying(cell) }),
  );
  const execution = resolveExecution(spec, machine, { runs: runs.length, concurrency: options.concurrency });
  if (!execution.ok) return execution;

  const { document, tracking, expect } = spec;
  const plan: Plan = {
    experiment: spec.experiment,
    sweepId: shortHash(runs.map(({ id }) => id).join('\n')),
    objective: spec.objective ?? usualObjective(shape),
    execution: execution.value,
    axes: seeds.length > 1 ? [...paths, 'seed'] : paths,
    runs,
    tracking,
    expect,
    spec: { path: document.path, text: document.text },
  };
  return success(plan, notices);
};

const runsOf = (
  cell: Cell,
  { experiment, seeds, varying }: Pick<Run, 'experiment' | 'varying'> & { readonly seeds: readonly number[] },
): Run[] => {
  const { config, datasetDigest, versions, code } = cell;
  return seeds.map((seed, index) => ({
    id: cell.runIds[index] ?? '',
    cell: cell.id,
    experiment,
    seed,
    config,
    datasetDigest,
    versions,
    ...(code && { code }),
    varying: seeds.length > 1 ? { ...varying, seed } : varying,
  }));
};

const usualObjective = ({ task }: SequenceShape): Objective => {
  switch (task.kind) {
    case 'classification':
    case 'labelling':
      return { metric: 'test/accuracy', goal: 'maximize' };
    case 'next-step':
      return { metric: 'test/perplexity', goal: 'minimize' };
    case 'regression':
      return { metric: 'test/loss', goal: 'minimize' };
    default:
      return unreachable(task);
  }
};

const checkCount = (
  { sweep, document }: Spec,
  { points, seeds }: { readonly points: number; readonly seeds: number },
): Diagnostic | undefined => {
  const runs = points * seeds;
  if (runs <= sweep.maxRuns) return undefined;
  const place = find(document.root, 'sweep', 'maxRuns') ?? find(document.root, 'sweep') ?? document.root;
  return {
    code: 'too-many-runs',
    severity: 'error',
    message: `The sweep unrolls into ${runs.toLocaleString('en')} runs.`,
    at: place.at,
    expected: `at most ${sweep.maxRuns.toLocaleString('en')} runs (maxRuns)`,
    got: seeds > 1 ? `${points} points x ${seeds} seeds = ${runs} runs` : `${runs} runs`,
    help: `Give the axes fewer values, write \`maxRuns: ${runs}\` in sweep, or pass --yes.`,
  };
};

const mergedPoints = (
  { sweep }: Spec,
  { merged, cells }: { readonly merged: readonly Point[]; readonly cells: number },
): Diagnostic => ({
  code: 'merged-runs',
  severity: 'notice',
  message: `${merged.length} of the sweep's points ${merged.length === 1 ? 'equals another one and was' : 'equal others and were'} merged; ${cells} are left.`,
  at: merged[0]?.at(-1)?.at ?? sweep.at,
  expected: 'points that differ in at least one value',
  got: `${merged.length + cells} points, ${cells} of them different`,
  help: 'Nothing is trained twice. Look for a value that stands twice, or that another setting makes meaningless.',
});
