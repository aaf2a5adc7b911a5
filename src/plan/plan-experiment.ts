import { relative } from 'node:path';
import {
  success,
  type Result,
  failed,
  failure,
  unreachable,
  type Diagnostic,
} from '../diagnostic/diagnostic.ts';
import { loadPlugins } from '../registry/own/load-plugins.ts';
import { withDataPaths } from '../language/rewrite.ts';
import { loadSpec } from '../language/load-spec.ts';
import { type WantedConcurrency, resolveExecution, type Machine } from './execution.ts';
import type { Plan, Run, Search } from './plan.ts';
import { type ResolveOptions, resolvePoints, type Configuration } from './resolve-points.ts';
import { validateSpec, type Spec } from '../language/validate-spec.ts';
import { masked, maskedJson } from '../system/secrets.ts';
import type { SequenceShape } from '../data/dataset.ts';
import { validationCounterpart } from '../metrics/metrics.ts';
import { canonicalJson, shortHash, leavesOf, type Json } from '../system/json.ts';
import { checkMetrics } from './check-metrics.ts';
import { objectiveBy } from '../language/goal.ts';
import { find, type SpecDocument } from '../language/located.ts';
import { checkPruning, searchOf } from './search-plan.ts';
import { gridPoints, groundOf, valueIn, type Ground } from '../search/grid.ts';
import { finiteSpace, keyOf, searchPoints } from '../search/search.ts';
import type { Choice, Dimension, Point, Sweep } from '../language/sweep/sweep.ts';

export interface PlanOptions extends ResolveOptions {
  /** `path=value` of each `--set`. */
  readonly set?: readonly string[];
  /** `path=a,b` of each `--sweep`. */
  readonly sweep?: readonly string[];
  /** Environment variables that the spec may read, besides those that every spec may. */
  readonly allowVariables?: readonly string[];
  /** More runs than the spec's `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
  /** Over the spec's. */
  readonly concurrency?: WantedConcurrency;
  /** Cores of the machine that will train. */
  readonly cores: number;
}

/**
 * From a file to its plan: load (the spec, and the rows of the nearest config), validate, unroll. All mistakes of the
 * first stage that has any, never a throw.
 */
export const planExperiment = async (path: string, options: PlanOptions): Promise<Result<Plan>> => {
  const { set = [], sweep = [], allowVariables = [] } = options;
  const document = await loadSpec(path, { set, sweep, allowVariables });
  if (!document.ok) return document;
  const plan = await planDocument(document.value, options);
  return plan.ok ? success(plan.value, [...document.notices, ...plan.notices]) : plan;
};

/** From a document to its plan. */
export const planDocument = async (
  document: SpecDocument,
  {
    cores,
    concurrency,
    allowManyRuns = false,
    reading,
    findWeights,
  }: Omit<PlanOptions, 'set' | 'sweep' | 'allowVariables'>,
): Promise<Result<Plan>> => {
  const { baseDirectory } = document;
  const plugins = await loadPlugins(baseDirectory);
  if (!plugins.ok) return plugins;
  const { registry, config } = plugins.value;
  const spec = validateSpec(withDataPaths(document, registry), registry);
  if (!spec.ok) return spec;
  const chosen = concurrency === undefined ? {} : { concurrency };
  const plan = await unrollSpec(spec.value, { cores }, { ...chosen, allowManyRuns, reading, findWeights });
  if (!plan.ok) return plan;
  const from = config === undefined ? {} : { config: relative(baseDirectory, config) };
  return success({ ...plan.value, ...from }, [...spec.notices, ...plan.notices]);
};

export interface UnrollOptions extends ResolveOptions {
  /** Over the spec's; has no influence on the threads of a run. */
  readonly concurrency?: WantedConcurrency;
  /** `--yes`: more runs than `maxRuns` are fine. */
  readonly allowManyRuns?: boolean;
}

/**
 * Unrolls a spec into its plan:
 *
 *     points of the sweep -> configurations (validated, equal ones merged) -> runs (a configuration and a seed) -> plan
 *
 * Of a sweep that proposes points by results the plan has the first ones; `propose.ts` makes the others.
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
  const points = pointsOf(sweep, ground);
  if (!points.ok) return points;
  const notices = [...points.notices];

  const { seeds } = spec;
  const total = sweep.method === 'tpe' ? searchedPoints(sweep, ground) : points.value.length;
  const tooMany = checkCount(spec, { points: total, seeds: seeds.length });
  if (tooMany && !options.allowManyRuns) return failure(tooMany);

  const resolved = await resolvePoints(spec, points.value, options);
  if (!resolved.ok) return resolved;
  const { configurations, merged, datasets, shape, warnings } = resolved.value;
  notices.push(...warnings);
  const unrecorded = checkMetrics(spec, resolved.value);
  if (unrecorded.length) return failed(unrecorded);
  if (merged.length) notices.push(mergedPoints(spec, { merged, configurations: configurations.length }));
  if (sweep.method === 'tpe' && spec.objective?.metric.startsWith('test/')) notices.push(choosesByTest(spec));
  const unpausable = checkPruning(spec, configurations);
  if (unpausable) return failure(unpausable);

  const paths = sweptPaths(sweep, configurations);
  const runsOf = configurationRuns(spec, paths);
  const runs = configurations.flatMap(runsOf);
  const perPoint = Math.max(...configurations.map(({ replicates }) => replicates.length));
  const folds = perPoint / seeds.length;
  const tooManyFolds = checkCount(spec, { points: total, seeds: seeds.length, folds });
  if (tooManyFolds && !options.allowManyRuns) return failure(tooManyFolds);
  const search = searchOf(spec, {
    configurations,
    points: Math.max(total - merged.length, configurations.length),
  });
  const execution = resolveExecution(spec, machine, {
    runs: (search?.points ?? configurations.length) * perPoint,
    concurrency: options.concurrency,
  });
  if (!execution.ok) return execution;

  const { document, tracking, expect } = spec;
  const plan: Plan = {
    experiment: spec.experiment,
    sweepId: sweepIdOf(runs, search),
    objective: spec.objective ?? objectiveBy(usualMetric(shape)),
    execution: execution.value,
    axes: [...paths, ...(folds > 1 ? ['fold'] : []), ...(seeds.length > 1 ? ['seed'] : [])],
    runs,
    ...(search && { search: maskedJson(search) }),
    tracking: maskedJson(tracking),
    expect,
    data: datasets.map(({ planned }) => planned),
    spec: { path: document.path, text: masked(document.text) },
  };
  return success(plan, notices);
};

/** Points that tpe draws at random before it proposes any: fewer are too little to learn from. */
const firstPoints = 10;

/** The points of a sweep that are known before any of them is trained. */
const pointsOf = (sweep: Sweep, ground: Ground): Result<readonly Point[]> => {
  switch (sweep.method) {
    case 'grid':
      return gridPoints(sweep, ground);
    case 'random':
    case 'quasi-random':
      return searchPoints(sweep, ground);
    case 'tpe': {
      const samples = Math.min(firstPoints, sweep.samples);
      const drawn = searchPoints({ ...sweep, samples, add: [] }, ground);
      if (!drawn.ok) return drawn;
      // What the user names is tried first, and the others learn from it.
      const points = [...sweep.add, ...drawn.value];
      return success([...new Map(points.map((point) => [keyOf(point), point])).values()], drawn.notices);
    }
    default:
      return unreachable(sweep.method);
  }
};

/** How many points a sweep that proposes them will have. */
const searchedPoints = (sweep: Sweep, ground: Ground): number => {
  const finite = finiteSpace(sweep, ground);
  const most = finite?.ok ? finite.value.length : Infinity;
  return Math.min(sweep.samples, most) + sweep.add.length;
};

/** 12 hex digits of the SHA-256 of the ids of a sweep's runs, and of how it searches. */
export const sweepIdOf = (runs: readonly Pick<Run, 'id'>[], search: Search | undefined): string =>
  shortHash(runs.map(({ id }) => id).join('\n') + (search ? canonicalJson(search) : ''));

const usualMetric = ({ task }: SequenceShape): string => {
  switch (task.kind) {
    case 'classification':
    case 'labelling':
      return 'test/accuracy';
    case 'next-step':
      return 'test/perplexity';
    case 'multi-label':
    case 'regression':
      return 'test/loss';
    case 'forecast':
      return 'test/mae';
    default:
      return unreachable(task);
  }
};

const checkCount = (
  { sweep, document }: Spec,
  { points, seeds, folds = 1 }: { readonly points: number; readonly seeds: number; readonly folds?: number },
): Diagnostic | undefined => {
  const runs = points * folds * seeds;
  const factors = [
    `${points} points`,
    ...(folds > 1 ? [`${folds} folds`] : []),
    ...(seeds > 1 ? [`${seeds} seeds`] : []),
  ];
  if (runs <= sweep.maxRuns) return undefined;
  const place = find(document.root, 'sweep', 'maxRuns') ?? find(document.root, 'sweep') ?? document.root;
  return {
    code: 'too-many-runs',
    severity: 'error',
    message: `The sweep unrolls into ${runs.toLocaleString('en')} runs.`,
    at: place.at,
    expected: `at most ${sweep.maxRuns.toLocaleString('en')} runs (maxRuns)`,
    got: factors.length > 1 ? `${factors.join(' x ')} = ${runs} runs` : `${runs} runs`,
    help: `Give the axes fewer values, write \`maxRuns: ${runs}\` in sweep, or pass --yes.`,
  };
};

/** The best of many values on the test split does not estimate how good a model is. */
const choosesByTest = ({ objective, sweep, document }: Spec): Diagnostic => {
  const metric = objective?.metric ?? '';
  const counterpart = validationCounterpart(metric) ?? 'val/loss';
  return {
    code: 'conflict',
    severity: 'notice',
    message: `The method tpe chooses points by ${metric}, so the best of them looks better than it is.`,
    at: (find(document.root, 'objective', 'metric') ?? find(document.root, 'sweep', 'method') ?? sweep).at,
    expected: `a metric of the validation split, such as ${counterpart}`,
    got: metric,
    help: `Write \`metric: ${counterpart}\`; test metrics are recorded all the same.`,
  };
};

const mergedPoints = (
  { sweep }: Spec,
  { merged, configurations }: { readonly merged: readonly Point[]; readonly configurations: number },
): Diagnostic => ({
  code: 'merged-runs',
  severity: 'notice',
  message: `${merged.length} of the sweep's points ${merged.length === 1 ? 'equals another one and was' : 'equal others and were'} merged; ${configurations} are left.`,
  at: merged[0]?.at(-1)?.at ?? sweep.at,
  expected: 'points that differ in at least one value',
  got: `${merged.length + configurations} points, ${configurations} of them different`,
  help: 'Nothing is trained twice. Check for a duplicate value, or for a setting that makes an axis ineffective.',
});

/** Makes the runs of a configuration, one a fold and seed; `paths` are what varies within the sweep. */
export const configurationRuns = ({ experiment, seeds }: Spec, paths: readonly string[]) => {
  const varyingOf = varyingReader(paths);
  return (configuration: Configuration): Run[] => {
    const { config, datasetDigest, versions, code, ownMetrics, start, vectors, files } = configuration;
    const varying = varyingOf(configuration);
    return configuration.replicates.map(({ runId, seed, fold }) => ({
      id: runId,
      cell: configuration.id,
      experiment,
      seed,
      config: fold === undefined ? config : { ...config, dataset: { ...config.dataset, fold } },
      datasetDigest,
      versions,
      ...(code && { code }),
      ...(ownMetrics && { ownMetrics }),
      ...(start && { start }),
      ...(vectors !== undefined && { vectors }),
      ...(files && { files }),
      varying: {
        ...varying,
        ...(fold !== undefined && { fold }),
        ...(seeds.length > 1 && { seed }),
      },
    }));
  };
};

/**
 * The paths in which configurations differ, in the order of the file. A choice that is a whole block, such as one of several
 * optimizers, counts as the parameters that are written in it.
 */
const sweptPaths = (sweep: Sweep, configurations: readonly Configuration[]): readonly string[] => {
  const paths = new Set<string>();
  const addChoice = ({ key, value }: Choice) => {
    for (const [path] of leavesOf(value, key)) paths.add(path);
  };
  const addDimension = (dimension: Dimension) => {
    if (dimension.kind === 'interval') dimension.keys.forEach((key) => paths.add(key));
    else dimension.options.forEach((option) => option.forEach(addChoice));
  };
  sweep.dimensions.forEach(addDimension);
  sweep.when.forEach(({ dimensions }) => dimensions.forEach(addDimension));
  sweep.add.forEach((point) => point.forEach(addChoice));
  // Points that are proposed later may differ where the first ones do not.
  return sweep.method === 'tpe'
    ? [...paths]
    : [...paths].filter((path) => differs(path.split('.'), configurations));
};

const differs = (path: readonly string[], configurations: readonly Configuration[]): boolean => {
  const text = (configuration: Configuration) => JSON.stringify(valueIn(configuration.config, path));
  const [first] = configurations;
  const one = first && text(first);
  return configurations.some((configuration) => text(configuration) !== one);
};

/** Reads a configuration's values at the varying paths; a path that its entries do not have is left out. */
const varyingReader = (paths: readonly string[]) => {
  const split = paths.map((path) => [path, path.split('.')] as const);
  return ({ config, point }: Configuration): Readonly<Record<string, Json>> => {
    const values: Record<string, Json> = {};
    for (const [path, keys] of split) {
      // A default that is left out of the configuration is still what the sweep chose.
      const value = valueIn(config, keys) ?? point.find(({ key }) => key === path)?.value;
      if (value !== undefined) values[path] = value;
    }
    return values;
  };
};
