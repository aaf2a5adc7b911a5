import { Type, type TSchema } from '@sinclair/typebox';
import type { Diagnostic, Issue, SourceRange } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import type { Registry } from '../../registry/rows.ts';
import { checkAgainst } from '../check.ts';
import { mostSuggestions } from '../schema-errors.ts';
import { place } from '../place.ts';
import { toJson, type Located, type LocatedEntry } from '../located.ts';
import type { Json } from '../../system/json.ts';
import { checkSection, sectionKinds, type SectionKind } from '../sections.ts';
import { isSection, type SweepableParameter, type Target, type Choice } from './sweep.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { isObject } from '../../system/json.ts';

/** What the reading of a sweep knows of its surroundings. */
export interface SweepContext {
  readonly registry: Registry;
  readonly parameters: ReadonlyMap<string, readonly SweepableParameter[]>;
  /** The names that each section may have in some run. */
  readonly names: Readonly<Record<SectionKind, ReadonlySet<string>>>;
  readonly report: (diagnostic: Omit<Diagnostic, 'severity'>) => void;
  readonly nextId: () => number;
  /** Counts the paths that lead nowhere. */
  readonly nextUnknown: () => number;
}

/**
 * The parameters that a path may mean in this spec, one for each entry that may be used; empty for a whole section, for a
 * section's name, and for a path that may belong to an unknown entry. Reports a path that leads nowhere and returns
 * undefined.
 */
export const resolvePath = (
  context: SweepContext,
  key: string,
  at: SourceRange,
  /** The paths that are set beside it. */
  beside: readonly string[] = [],
): readonly SweepableParameter[] | undefined => {
  const [section = '', name, ...more] = key.split('.');
  if (isSection(key)) return [];
  if (isSection(section) && section !== 'train' && name === 'name' && more.length === 0) return [];
  const known = context.parameters.get(key) ?? keyOfMapping(context, key);
  if (!known) {
    const unknown = unknownPath(context, key, at, context.nextUnknown() <= mostSuggestions);
    if (unknown.nearest === undefined && isSection(section) && isOpen(context, section)) return [];
    const isSet = unknown.nearest !== undefined && beside.includes(unknown.nearest);
    context.report(
      isSet ? { ...unknown, help: `Did you mean ${unknown.nearest ?? ''}, which is set already?` } : unknown,
    );
    return undefined;
  }
  const usable = known.filter(mayBeUsed(context));
  if (usable.length > 0) return usable;
  const kind = known[0]?.kind ?? 'model';
  const used = [...context.names[kind]];
  const suggest = context.nextUnknown() <= mostSuggestions;
  const near = suggest
    ? nearest(
        key,
        [...context.parameters]
          .filter(([, rows]) => rows.some((one) => one.kind === kind && used.includes(one.row ?? '')))
          .map(([path]) => path),
      )
    : undefined;
  context.report({
    code: 'unknown-axis',
    message: `${key} is a parameter of ${known.map(({ row }) => row ?? '').join(', ')}, which this spec never uses.`,
    at,
    expected: `a parameter of ${used.join(' or ')}`,
    got: key,
    ...(near !== undefined && { nearest: near }),
    help: `Remove it, or add ${known[0]?.row ?? ''} to the values of ${kind}.name.`,
  });
  return undefined;
};

/** What a path means in a parameter that maps names of the data to values, as `dataset.missing.wind` does. */
const keyOfMapping = (
  { parameters }: SweepContext,
  key: string,
): readonly SweepableParameter[] | undefined => {
  const around = parameters.get(key.slice(0, key.lastIndexOf('.'))) ?? [];
  const found = around.flatMap(({ schema: { additionalProperties: schema }, ...from }) =>
    typeof schema === 'object' ? [{ ...from, key, schema }] : [],
  );
  return found.length > 0 ? found : undefined;
};

/**
 * Whether the entry of a section is unknown: it has no name, or one that no entry has. Only the name is reported, not what
 * follows from it.
 */
const isOpen = ({ registry, names }: SweepContext, kind: SectionKind): boolean =>
  kind !== 'train' &&
  (names[kind].size === 0 || [...names[kind]].some((name) => !Object.hasOwn(registry[kind], name)));

const mayBeUsed =
  (context: SweepContext) =>
  ({ kind, row }: SweepableParameter): boolean =>
    row === null || context.names[kind].has(row) || isOpen(context, kind);

const unknownPath = (
  context: SweepContext,
  key: string,
  at: SourceRange,
  suggest: boolean,
): Omit<Diagnostic, 'severity'> => {
  const [first = '', ...rest] = key.split('.');
  const usable = suggest
    ? [...context.parameters].filter(([, rows]) => rows.some(mayBeUsed(context))).map(([path]) => path)
    : [];
  const section = isSection(first) ? first : suggest ? nearest(first, sectionKinds) : undefined;
  const inSection = usable.filter((path) => path.startsWith(`${section ?? ''}.`));
  const tail = rest.join('.');
  const below = (path: string) => path.slice(path.indexOf('.') + 1);
  const near =
    // A parameter's name alone, or under the wrong section.
    usable.find((path) => path.endsWith(`.${key}`) || (tail !== '' && path.endsWith(`.${tail}`))) ??
    // Names are compared without the section: with it, two long words would seem alike.
    inSection.find((path) => below(path) === nearest(tail === '' ? first : tail, inSection.map(below))) ??
    (section === undefined ? nearest(key, usable) : undefined) ??
    usable.find((path) => nearest(key, [below(path)]) !== undefined);
  const fixed = ['run', 'tracking', 'objective', 'expect', 'sweep', 'name', 'version', 'extends'].includes(
    first,
  );
  const seeds = ['seed', 'seeds'].includes(first);
  return {
    code: 'unknown-axis',
    message: seeds
      ? 'Seeds are replicates of every point, not an axis.'
      : fixed
        ? `${key} cannot vary within a sweep.`
        : `The path ${key} leads to no parameter.`,
    at,
    expected:
      inSection.length > 0 && inSection.length < 40
        ? inSection.join(', ')
        : 'a path such as model.hiddenSize, optimizer.learningRate or train.batchSize',
    got: key,
    ...(near !== undefined && !seeds && !fixed && { nearest: near }),
    help: seeds
      ? 'Write `seeds: [1, 2, 3]` at the top level of the spec.'
      : fixed
        ? 'Only dataset, model, optimizer, loss and train can vary; write a second spec that extends this one.'
        : near === undefined
          ? `${listing('models')}, ${listing('datasets')}, ${listing('optimizers')} and ${listing('losses')} list all parameters.`
          : `Did you mean ${near}?`,
  };
};

const listing = (entries: string) => `\`${proposedCommand([entries])}\``;

interface Written {
  readonly key: string;
  readonly value: Json;
  readonly node: Located;
  /** Whether the value was computed from `node`. */
  readonly computed: boolean;
}

/** A choice, once its value is allowed by one of the rows that the path may mean. Reports and returns undefined if not. */
export const readChoice = (
  context: SweepContext,
  written: Written,
  parameters: readonly SweepableParameter[],
): Choice | undefined => {
  const { key, value, node, computed } = written;
  const choice: Choice = {
    key,
    path: key.split('.'),
    value,
    at: node.at,
    node: computed ? undefined : node,
    id: context.nextId(),
  };
  const issues = issuesOf(context, choice, parameters);
  if (issues.length === 0) return choice;
  for (const issue of issues) {
    const { at, ...rest } = place(issue, node);
    context.report({
      ...rest,
      at: computed ? node.at : (at ?? node.at),
      ...(computed && { help: 'Change the axis so that each of its values is allowed.' }),
    });
  }
  return undefined;
};

/** Reads a written value as a choice of a path that has been resolved. */
export const readWritten = (
  context: SweepContext,
  key: string,
  { key: at, value: node }: LocatedEntry,
): Choice | undefined => {
  const parameters = resolvePath(context, key, at);
  return parameters && readChoice(context, { key, value: toJson(node), node, computed: false }, parameters);
};

const issuesOf = (
  { registry }: SweepContext,
  { key, path, value }: Choice,
  parameters: readonly SweepableParameter[],
): readonly Issue[] => {
  const [section = '', second] = path;
  // null takes the key away, so that its default holds.
  if (value === null && !isSection(key) && second !== 'name') return [];
  if (isSection(key)) {
    if (!isObject(value)) {
      const { issues } = checkAgainst(Type.Object({ [key]: wholeSection(value) }), { [key]: value });
      // The value is an item of a list, so the key must not be written again.
      return issues.map(({ help = '', ...issue }) => ({
        ...inside(issue),
        help: help.replace(/`\w+: (\{[^`]*\})`/, '$1'),
      }));
    }
    const checked = checkSection(registry, key, value);
    return checked.ok ? [] : checked.errors;
  }
  if (isSection(section) && section !== 'train' && second === 'name' && path.length === 2) {
    const known = Object.keys(registry[section]);
    if (typeof value === 'string' && known.includes(value)) return [];
    const checked = checkSection(registry, section, { name: value });
    return checked.ok ? [] : checked.errors.map((issue) => ({ ...issue, path: [] }));
  }
  const last = path.at(-1) ?? '';
  const found = parameters.map(
    ({ schema }) => checkAgainst(wrapped(last, schema as TSchema), { [last]: value }).issues,
  );
  return found.some((issues) => issues.length === 0) ? [] : (found[0] ?? []).map(inside);
};

/** `written` is the value found instead, most likely a name alone. */
const wholeSection = (written: Json) =>
  Type.Unsafe({
    type: 'object',
    phrase: 'a whole section with its name and parameters',
    examples: [{ name: typeof written === 'string' ? written : '...' }],
  });

const wrappers = new WeakMap<TSchema, Map<string, TSchema>>();

/** An object with one key, so that a message can name the value. */
const wrapped = (key: string, schema: TSchema): TSchema => {
  const byKey = wrappers.get(schema) ?? new Map<string, TSchema>();
  const wrapper = byKey.get(key) ?? Type.Object({ [key]: schema });
  wrappers.set(schema, byKey.set(key, wrapper));
  return wrapper;
};

/** What the values of an axis must fit, for the examples in messages about them. */
export const targetOf = (
  { registry }: SweepContext,
  key: string,
  parameters: readonly SweepableParameter[],
): Target => {
  const [section = '', name] = key.split('.');
  const last = key.slice(key.lastIndexOf('.') + 1);
  const fits =
    (value: Json) =>
    ({ schema }: SweepableParameter) =>
      checkAgainst(wrapped(last, schema as TSchema), { [last]: value }).issues.length === 0;
  const rows = isSection(section) && section !== 'train' ? Object.keys(registry[section]) : [];
  const named = parameters.flatMap(({ schema }) =>
    [schema.type].flat().includes('boolean') ? [true, false] : ((schema.enum ?? []) as readonly Json[]),
  );
  return {
    key,
    integer:
      parameters.length > 0 && parameters.every(({ schema }) => [schema.type].flat().includes('integer')),
    accepts: (value) => parameters.length === 0 || parameters.some(fits(value)),
    names:
      name === undefined ? rows.map((row) => ({ name: row })) : name === 'name' ? rows : [...new Set(named)],
  };
};

const inside = (issue: Issue): Issue => ({ ...issue, path: issue.path.slice(1) });
