import { randomStream } from '../data/random.ts';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { loadPlugins } from '../registry/own/load-plugins.ts';
import { isReplicateKey, type Plan, type Run } from './plan.ts';
import type { JsonMap } from '../language/sections.ts';
import { readYaml } from '../language/read-yaml.ts';
import { resolvePoints } from './resolve-points.ts';
import { configurationRuns } from './plan-experiment.ts';
import type { FindWeights } from './starting-weights.ts';
import { groundOf, holds } from '../search/grid.ts';
import { finiteSpace, keyOf } from '../search/search.ts';
import { axisOf, coordinatesOf, dimensionsOf, placePoint, type Coordinates } from '../search/space.ts';
import { proposeByTpe, type Trial } from '../search/tpe.ts';
import type { Point } from '../language/sweep/sweep.ts';
import { validateSpec, type Spec } from '../language/validate-spec.ts';

/** A point that a search has chosen: its runs, one for each seed, and its coordinates. */
export interface Proposal {
  readonly runs: readonly Run[];
  readonly coordinates: Coordinates;
}

/** A point that was chosen before. */
export interface Tried extends Trial {
  /** The id of its configuration, as this version computes it. */
  readonly configuration: string;
}

/** Chooses further points of a plan; each choice follows from the points before and what is known of them alone. */
export interface Proposer {
  /** Nothing once the space has no other point. */
  readonly propose: (tried: readonly Tried[]) => Promise<Proposal | undefined>;
}

/** How often candidates are drawn before any point will do that is new. */
const mostRounds = 20;
const mostRandomDraws = 10_000;

/** Resumes a frozen plan: neither the spec's file nor what it extends is read again. */
export const createProposer = async (
  plan: Plan,
  baseDirectory: string,
  findWeights?: FindWeights,
): Promise<Result<Proposer>> => {
  const thawed = await thawSpec(plan, baseDirectory);
  if (!thawed.ok) return thawed;
  return success(proposerOf(thawed.value, plan, findWeights && asFrozen(plan, findWeights)));
};

/** Weights that the plan has found already stay the same, whichever run is the best by now. */
const asFrozen =
  ({ runs }: Plan, findWeights: FindWeights): FindWeights =>
  async (from, baseDirectory) => {
    const known = runs.find(({ config, start }) => start && config.train.from === from)?.start;
    const found = await findWeights(known?.file ?? known?.run ?? from, baseDirectory);
    return found.ok && known ? success({ ...found.value, start: known }) : found;
  };

const proposerOf = (spec: Spec, plan: Plan, findWeights: FindWeights | undefined): Proposer => {
  const { sweep } = spec;
  const ground = groundOf(spec.registry, spec.base);
  const axes = dimensionsOf(sweep).map(axisOf);
  const runsOf = configurationRuns(
    spec,
    plan.axes.filter((path) => !isReplicateKey(path)),
  );

  const resolve = async (point: Point, tried: readonly Tried[]): Promise<Proposal | undefined> => {
    if (sweep.exclude.some((rule) => holds(ground, point, rule))) return undefined;
    const resolved = await resolvePoints(spec, [point], { findWeights });
    const [configuration] = resolved.ok ? resolved.value.configurations : [];
    // Values that conflict, and other ways to write a point that was tried, are not points of the space.
    if (!configuration || tried.some((one) => one.configuration === configuration.id)) return undefined;
    return { runs: runsOf(configuration), coordinates: coordinatesOf(sweep, point) };
  };

  const propose: Proposer['propose'] = async (tried) => {
    const seen = new Set<string>();
    const random = randomStream(sweep.seed, 'sweep', 'tpe', tried.length);
    const at = (place: readonly number[]) => placePoint(sweep, ground, (dimension) => place[dimension] ?? 0);
    const fresh = async (point: Point) => {
      const key = keyOf(point);
      if (seen.has(key)) return undefined;
      seen.add(key);
      return await resolve(point, tried);
    };
    for (let round = 0; round < mostRounds; round++) {
      for (const place of proposeByTpe(axes, tried, random)) {
        const found = await fresh(at(place));
        if (found) return found;
      }
    }
    // The rest of a small space is far from what is promising.
    const finite = finiteSpace(sweep, ground);
    const points = finite?.ok
      ? Array.from(random.permutation(finite.value.length), (index) => finite.value[index] ?? [])
      : Array.from({ length: mostRandomDraws }, () => at(axes.map(() => random.uniform())));
    for (const point of points) {
      const found = await fresh(point);
      if (found) return found;
    }
    return undefined;
  };
  return { propose };
};

/**
 * The spec that a plan was made from. It was valid then, so an error comes from another version of Unroll. Results are
 * compared by the goal in the plan: a goal in the spec that 0.1 accepted against the direction of its metric is left out.
 */
const thawSpec = async ({ search, spec: { path } }: Plan, baseDirectory: string): Promise<Result<Spec>> => {
  const { objective, ...others } = (search?.sampler?.spec ?? {}) as Partial<
    Readonly<Record<string, JsonMap>>
  >;
  const { metric } = objective ?? {};
  const text = JSON.stringify({ ...others, ...(metric !== undefined && { objective: { metric } }) });
  const read = readYaml({ source: { name: path, text }, text, shift: 0 });
  if (!read.ok || read.value.kind !== 'map') throw new Error(`The frozen plan of ${path} has no spec in it.`);
  const plugins = await loadPlugins(baseDirectory);
  if (!plugins.ok) return plugins;
  const document = { path, text, baseDirectory, root: read.value, extendedAt: new Map() };
  return validateSpec(document, plugins.value.registry);
};
