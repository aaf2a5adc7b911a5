import type { Diagnostic, SourceRange } from '../../diagnostic/diagnostic.ts';
import { addDiagnostic } from '../../diagnostic/most.ts';
import { goalOf, validationCounterpart } from '../../metrics/metrics.ts';
import type { Registry } from '../../registry/rows.ts';
import { find, toJson, type Located, type LocatedEntry, type LocatedMap } from '../located.ts';
import type { Objective, Pruning } from '../config.ts';
import type { Json } from '../../system/json.ts';
import { trainingEnds } from '../train-section.ts';
import { sectionKinds, type JsonMap, type SectionKind } from '../sections.ts';
import {
  isSection,
  sweepableParameters,
  exampleForm,
  type Choice,
  type Condition,
  type Dimension,
  type Point,
  type Rule,
  type Sweep,
  type WhenRule,
} from './sweep.ts';
import { mostRules, type SweepSection } from './section.ts';
import { readChoice, readWritten, resolvePath, targetOf, type SweepContext } from './read-choice.ts';
import { readAxisValues } from './read-values.ts';

interface Input {
  readonly registry: Registry;
  /** The four sections outside of the sweep. */
  readonly base: Readonly<Record<SectionKind, JsonMap>>;
  /** The structure, already checked, with defaults. */
  readonly section: SweepSection;
  readonly node: LocatedMap;
  /** Undefined where the spec names none; `wrong` where it is reported already. */
  readonly objective: Objective | 'wrong' | undefined;
}

type Written = Pick<Input, 'section' | 'node' | 'objective'>;

/** Reads a `sweep` section whose structure is valid: paths, values, zips and rules. Pushes every mistake to `errors`. */
export const readSweep = (
  { registry, base, section, node, objective }: Input,
  errors: Diagnostic[],
): Sweep => {
  const context = createContext({ registry, base, node }, errors);
  const { method } = section;
  checkMethodKeys({ section, node, context });
  checkResults(context, { section, node, objective });
  const sweep: Sweep = {
    method,
    samples: section.samples ?? 1,
    seed: section.seed ?? 0,
    ...readSpace(context, node, method !== 'grid'),
    maxRuns: section.maxRuns,
    lookahead: section.lookahead,
    pruning: readPruning(context, { section, node, objective }),
    at: node.at,
  };
  checkOverlaps(context, sweep);
  return sweep;
};

type Surroundings = Pick<Input, 'registry' | 'base' | 'node'>;

/** Adds the mistakes in paths, values and rules of a sweep whose structure is wrong elsewhere, so that all are reported at once. */
export const checkSpace = (surroundings: Surroundings, errors: Diagnostic[]): void => {
  // Whether it is a grid is not sure, so intervals pass.
  readSpace(createContext(surroundings, errors), surroundings.node, true);
};

const createContext = ({ registry, base, node }: Surroundings, errors: Diagnostic[]): SweepContext => {
  let lastId = 0;
  let unknown = 0;
  return {
    registry,
    parameters: sweepableParameters(registry),
    names: possibleNames(base, node),
    report: (diagnostic) => addDiagnostic(errors, { severity: 'error', ...diagnostic }),
    nextId: () => ++lastId,
    nextUnknown: () => ++unknown,
  };
};

/** The points that a sweep may take. What is not a mapping or a list is skipped. */
const readSpace = (
  context: SweepContext,
  node: LocatedMap,
  search: boolean,
): Pick<Sweep, 'dimensions' | 'when' | 'exclude' | 'add'> => {
  const axes = find(node, 'axes');
  const dimensions = axes?.kind === 'map' ? readDimensions(context, axes, search) : [];
  const zips = readEach(find(node, 'zip'), (one) =>
    checkZip(context, readDimensions(context, one, false), one),
  );
  return {
    dimensions: [...dimensions, ...zips],
    when: readEach(find(node, 'when'), (one) => readWhen(context, one, search)),
    exclude: readEach(find(node, 'exclude'), (one) => readRule(context, one)),
    add: readEach(find(node, 'add'), (one) => readPoint(context, one)),
  };
};

const checkMethodKeys = ({
  section,
  node,
  context,
}: {
  readonly section: SweepSection;
  readonly node: LocatedMap;
  readonly context: SweepContext;
}): void => {
  const samples = node.entries.get('samples');
  if (section.method === 'grid' && samples) {
    context.report({
      code: 'conflict',
      message: 'A grid has every combination; it draws no samples.',
      at: samples.key,
      expected: 'no samples, or method: random',
      got: 'method: grid',
      help: 'Remove samples, or write `method: random`.',
    });
  }
  if (section.method !== 'grid' && !samples) {
    context.report({
      code: 'missing-key',
      message: `The method ${section.method} needs the number of points to draw.`,
      at: node.entries.get('method')?.value.at ?? node.at,
      expected: 'samples: a whole number from 1',
      got: 'nothing',
      help: 'Add for example `samples: 20` to sweep.',
    });
  }
};

const readEach = <T>(list: Located | undefined, read: (one: LocatedMap) => T | undefined): T[] =>
  list?.kind === 'list'
    ? list.items.slice(0, mostRules).flatMap((item) => {
        const one = item.kind === 'map' ? read(item) : undefined;
        return one === undefined ? [] : [one];
      })
    : [];

/** The dimensions of a mapping of paths to values. Intervals are allowed where points are drawn. */
const readDimensions = (context: SweepContext, axes: LocatedMap, search: boolean): Dimension[] => {
  const dimensions: Dimension[] = [];
  const written = [...axes.entries.keys()];
  for (const [key, entry] of axes.entries) {
    const parameters = resolvePath(context, key, entry.key, written);
    const target = targetOf(context, key, parameters ?? []);
    const values = readAxisValues(target, entry.value, context.report);
    if (!parameters || !values) continue;
    const shared = { keys: [key], at: entry.value.at };
    if (values.kind === 'interval') {
      if (!search) {
        context.report({
          code: 'conflict',
          message: `The axis ${key} is an interval, which has no list of values for a grid.`,
          at: entry.value.at,
          expected: 'a list, range, linear or log in a grid or a zip',
          got: 'an interval',
          help: `Write for example ${exampleForm(target)}, or use method: random with samples.`,
        });
        continue;
      }
      // Both ends have the same place: one mistake is enough.
      const fits = [values.low, values.high].every((value) =>
        readChoice(context, { key, value, node: entry.value, computed: true }, parameters),
      );
      if (fits) {
        const { kind, low, high, scale, step } = values;
        dimensions.push({ kind, low, high, scale, step, ...shared });
      }
      continue;
    }
    const options: Point[] = [];
    for (const { value, node, computed } of values.values) {
      const choice = readChoice(context, { key, value, node, computed }, parameters);
      if (choice) options.push([choice]);
      // All computed values have the same place: one mistake is enough.
      else if (computed) break;
    }
    if (options.length < values.values.length) continue;
    dimensions.push({ kind: 'choices', options, weights: values.weights, ...shared });
  }
  return dimensions;
};

const readWhen = (context: SweepContext, node: LocatedMap, search: boolean): WhenRule | undefined => {
  const condition = find(node, 'if');
  const axes = find(node, 'axes');
  if (condition?.kind !== 'map' || axes?.kind !== 'map') return undefined;
  return { ...readRule(context, condition), dimensions: readDimensions(context, axes, search) };
};

const readRule = (context: SweepContext, node: LocatedMap): Rule => ({
  conditions: [...node.entries].flatMap(([key, entry]) => readConditions(context, key, entry)),
  at: node.at,
});

/** A mapping under a section or parameter is a condition on each of its keys. */
const readConditions = (context: SweepContext, key: string, entry: LocatedEntry): Condition[] => {
  const node = entry.value;
  if (node.kind === 'map') {
    return [...node.entries].flatMap(([inner, below]) => readConditions(context, `${key}.${inner}`, below));
  }
  const choice = readWritten(context, key, entry);
  return choice ? [{ key, path: choice.path, value: choice.value, at: node.at }] : [];
};

const readPoint = (context: SweepContext, node: LocatedMap): Point | undefined => {
  const point = [...node.entries].map(([key, entry]) => readWritten(context, key, entry));
  return point.every((choice): choice is Choice => choice !== undefined) ? point : undefined;
};

/** The names that each section has outside of the sweep or anywhere in it. */
const possibleNames = (
  base: Input['base'],
  sweep: LocatedMap,
): Readonly<Record<SectionKind, Set<string>>> => {
  const names = {
    dataset: new Set<string>(),
    model: new Set<string>(),
    optimizer: new Set<string>(),
    loss: new Set<string>(),
    train: new Set<string>(),
  };
  const add = (kind: SectionKind, name: Json | undefined) => {
    if (typeof name === 'string') names[kind].add(name);
  };
  for (const kind of sectionKinds) add(kind, base[kind]['name']);
  const visit = (value: Json): void => {
    if (Array.isArray(value)) (value as readonly Json[]).forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value as JsonMap)) {
        const [section = '', name] = key.split('.');
        for (const one of leaves(inner)) {
          if (isSection(section) && name === 'name') add(section, one);
          if (isSection(key) && typeof one === 'object') add(key, (one as JsonMap | null)?.['name']);
        }
        visit(inner);
      }
    }
  };
  visit(toJson(sweep));
  return names;
};

/** The values in a list, in a weighted choice, or the value itself. */
const leaves = (value: Json): readonly Json[] => {
  if (Array.isArray(value)) return value as readonly Json[];
  const chosen = typeof value === 'object' && value !== null ? (value as JsonMap)['choice'] : undefined;
  return Array.isArray(chosen) ? (chosen as readonly Json[]) : [value];
};

/** What a sweep that decides by results needs: something to decide by. Nothing else may ask for `lookahead`. */
const checkResults = (context: SweepContext, { section, node, objective }: Written): void => {
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
const readPruning = (context: SweepContext, { section, node, objective }: Written): Pruning | null => {
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

/** Joins the axes of a zip into one dimension whose options set all of its paths together. */
const checkZip = (
  context: SweepContext,
  axes: readonly Dimension[],
  node: LocatedMap,
): Dimension | undefined => {
  const lists = axes.filter((axis) => axis.kind === 'choices');
  const [first, ...others] = lists;
  if (!first || lists.length !== node.entries.size) return undefined;
  for (const other of others) {
    if (other.options.length === first.options.length) continue;
    context.report({
      code: 'conflict',
      message: `${other.keys.join()} and ${first.keys.join()} advance together but have different numbers of values.`,
      at: other.at,
      expected: `${first.options.length} values`,
      got: `${other.options.length} values`,
      related: [{ message: `the ${first.options.length} values of ${first.keys.join()}`, at: first.at }],
      help: 'Give both the same number of values, or make them two axes.',
    });
    return undefined;
  }
  const options = first.options.map((_, index): Point =>
    lists.flatMap(({ options }) => options[index] ?? []),
  );
  return { kind: 'choices', keys: lists.flatMap(({ keys }) => keys), options, weights: null, at: node.at };
};

/** A path may be set once by axes and zips; a `when` may not set it a second time. */
const checkOverlaps = (context: SweepContext, { dimensions, when }: Sweep): void => {
  const taken = new Map<string, SourceRange>();
  const clash = (key: string, at: SourceRange, first: SourceRange) =>
    context.report({
      code: 'conflict',
      message: `Two parts of the sweep set ${key}.`,
      at,
      expected: 'each path in one axis, zip or when',
      got: `a second list of values for ${key}`,
      related: [{ message: 'set here already', at: first }],
      help: 'Remove one of the two, or put all the values in one place.',
    });
  for (const { keys, at } of dimensions) {
    for (const key of keys) {
      const first = taken.get(key);
      if (first) clash(key, at, first);
      else taken.set(key, at);
    }
  }
  checkEnds(context, taken);
  for (const rule of when) {
    for (const { keys, at } of rule.dimensions) {
      for (const key of keys) {
        const first = taken.get(key);
        if (first) clash(key, at, first);
      }
    }
  }
};

/** Two axes that end a training in different ways would each undo the other. */
const checkEnds = (context: SweepContext, taken: ReadonlyMap<string, SourceRange>): void => {
  const [first, second] = trainingEnds.map((end) => `train.${end}`).filter((key) => taken.has(key));
  const at = second === undefined ? undefined : taken.get(second);
  const firstAt = first === undefined ? undefined : taken.get(first);
  if (!at || !firstAt) return;
  context.report({
    code: 'conflict',
    message: `${first ?? ''} and ${second ?? ''} both set the length of the training.`,
    at,
    expected: 'an axis over one of trainingIters, epochs and steps',
    got: 'axes over two of them',
    related: [{ message: 'the other axis', at: firstAt }],
    help: 'Remove one of the two axes.',
  });
};
