import {
  failed,
  success,
  type Diagnostic,
  type Issue,
  type Result,
  type SourceRange,
  type SourceText,
} from '../diagnostic/diagnostic.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import { registry as builtIn, type Registry, namedSections } from '../registry/rows.ts';
import { checkAgainst } from './check.ts';
import { mostSuggestions } from './schema-errors.ts';
import { place } from './place.ts';
import { describeValue } from './describe.ts';
import type { Expectation, MlflowSettings, Objective } from './config.ts';
import { readObjective } from './goal.ts';
import { find, toJson, type Located, type LocatedMap, type SpecDocument } from './located.ts';
import { isObject, isNonFinite, type Json } from '../system/json.ts';
import { type RunSection, runSchema } from './run-section.ts';
import { checkSection, sectionKinds, type JsonMap, type SectionKind } from './sections.ts';
import { specSchema, specVersion, type SpecStructure } from './spec-schema.ts';
import { checkSpace, readSweep } from './sweep/read-sweep.ts';
import { type Sweep, isSection } from './sweep/sweep.ts';
import { defaultMaxRuns, sweepSchema } from './sweep/section.ts';
import { inWords } from '../diagnostic/in-words.ts';
import type { Row } from '../parameters/row.ts';
import { trainSchema } from './train-section.ts';

/** A spec without mistakes. Its sweep is not unrolled yet. */
export interface Spec {
  readonly document: SpecDocument;
  readonly registry: Registry;
  readonly experiment: string;
  /** The sections as they are written outside of the sweep, without defaults. */
  readonly base: Readonly<Record<SectionKind, JsonMap>>;
  readonly sweep: Sweep;
  /** Each once. */
  readonly seeds: readonly number[];
  /** Undefined where it follows from the task of the dataset. */
  readonly objective: Objective | undefined;
  readonly run: RunSection;
  readonly tracking: { readonly mlflow?: MlflowSettings };
  readonly expect: readonly Expectation[];
}

/** Checks a whole spec against the language and the registries, and reports every mistake at once. */
export const validateSpec = (document: SpecDocument, registry: Registry = builtIn): Result<Spec> => {
  const errors: Diagnostic[] = [];
  const { root } = document;
  const version = find(root, 'version');
  if (version && toJson(version) !== specVersion) {
    return failed(withExtends(document, [wrongVersion(toJson(version), version.at)]));
  }
  const written = withoutEmptySections(toJson(root) as JsonMap, document);
  const base = Object.fromEntries(sectionKinds.map((kind) => [kind, asMap(written[kind])])) as Spec['base'];
  const { value, issues } = checkAgainst(specSchema, written);
  const report = (issue: Issue, kind?: SectionKind) =>
    addDiagnostic(
      errors,
      place(
        errors.length < mostSuggestions
          ? whereKeyBelongs(issue, registry, written, kind && { kind, name: nameOf(base[kind]) })
          : issue,
        root,
        kind ? [kind] : [],
      ),
    );
  for (const issue of issues) report(issue);

  for (const kind of sectionKinds) {
    if (!isObject(written[kind])) continue;
    const checked = checkSection(registry, kind, base[kind]);
    if (!checked.ok) for (const issue of checked.errors) report(issue, kind);
  }

  // Of parts with an error nothing is read, so the others have the schema's types.
  const structure = value as unknown as SpecStructure;
  const isSound = (section: string) => !issues.some(({ path: [first] }) => first === section);
  const objective =
    structure.objective && isSound('objective')
      ? readObjective(structure.objective, root, errors)
      : undefined;
  const sweepNode = find(root, 'sweep');
  const sweepIsSound = isSound('sweep');
  const sweep =
    structure.sweep && sweepNode?.kind === 'map' && sweepIsSound
      ? readSweep(
          {
            registry,
            base,
            section: structure.sweep,
            node: sweepNode,
            objective: isSound('objective') ? objective : 'wrong',
          },
          errors,
        )
      : noSweep(root);
  if (sweepNode?.kind === 'map' && !sweepIsSound) checkSpace({ registry, base, node: sweepNode }, errors);
  checkExpect(root, errors);
  checkFinite(root, errors);
  if (errors.length) return failed(withExtends(document, errors));

  const { seeds, run } = structure;
  return success(
    {
      document,
      registry,
      experiment: structure.name,
      base,
      sweep,
      seeds:
        typeof seeds === 'number'
          ? Array.from({ length: seeds }, (_, index) => index + 1)
          : [...new Set(seeds)],
      objective,
      run,
      tracking: structure.tracking,
      expect: structure.expect,
    },
    typeof seeds === 'number' ? [] : repeatedSeeds(root, seeds),
  );
};

const repeatedSeeds = (root: LocatedMap, seeds: readonly number[]): Diagnostic[] => {
  const seen = new Set<number>();
  const repeated = seeds.findIndex((seed) => seen.size === seen.add(seed).size);
  if (repeated === -1) return [];
  return [
    {
      code: 'merged-runs',
      severity: 'notice',
      message: `The seed ${seeds[repeated] ?? ''} is listed more than once and is used once.`,
      at: (find(root, 'seeds', repeated) ?? root).at,
      expected: 'different seeds',
      got: `[${seeds.slice(0, 100).join(', ')}${seeds.length > 100 ? ', ...' : ''}]`,
      help: 'Remove the repeated seed.',
    },
  ];
};

const nameOf = ({ name }: JsonMap): string => (typeof name === 'string' ? name : '');

const asMap = (value: Json | undefined): JsonMap => (isObject(value) ? value : {});

const wrongVersion = (value: Json, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'unsupported-version',
  severity: 'error',
  message: `This program reads version ${specVersion} of the spec language.`,
  at,
  expected: String(specVersion),
  got: describeValue(value),
  help:
    typeof value === 'number' && value > specVersion
      ? 'Install a newer Unroll, or write the spec for version 1.'
      : 'Write `version: 1`.',
});

/** An empty section, such as `sweep:`, counts as absent. */
const withoutEmptySections = (written: JsonMap, { root }: SpecDocument): JsonMap => {
  const empty = optionalSections.filter((key) => written[key] === null && root.entries.has(key));
  return empty.length === 0
    ? written
    : Object.fromEntries(Object.entries(written).filter(([key]) => !empty.includes(key)));
};

const optionalSections = ['extends', 'loss', 'sweep', 'objective', 'run', 'tracking', 'expect'];

const noSweep = (root: LocatedMap): Sweep => ({
  method: 'grid',
  samples: 1,
  seed: 0,
  dimensions: [],
  when: [],
  exclude: [],
  add: [],
  maxRuns: defaultMaxRuns,
  lookahead: 1,
  pruning: null,
  at: root.at,
});

const checkExpect = (root: LocatedMap, errors: Diagnostic[]): void => {
  const list = find(root, 'expect');
  if (list?.kind !== 'list') return;
  for (const item of list.items) {
    if (item.kind !== 'map' || item.entries.has('gte') || item.entries.has('lte')) continue;
    const bare = item.entries.has('baseline') ? 2 : 1;
    if (!item.entries.has('metric') || item.entries.size > bare) continue;
    addDiagnostic(errors, {
      code: 'missing-key',
      severity: 'error',
      message: 'The expectation has no bound.',
      at: item.at,
      expected: 'gte (at least), lte (at most), or both',
      got: bare === 1 ? 'a metric alone' : 'a metric and a baseline alone',
      help:
        bare === 1
          ? 'Add for example `gte: 0.97`.'
          : 'Add for example `gte: 0`: at least as much as the baseline.',
    });
  }
};

/**
 * Reports each number that is not finite, wherever it is written, unless a mistake at its place is reported already: not
 * every schema of a plugin requires a parameter to be a number.
 */
const checkFinite = (root: Located, errors: Diagnostic[]): void => {
  const reported = new Map<SourceText, Set<string>>();
  const placeOf = ({ start, end }: SourceRange) => `${start}-${end}`;
  for (const { at } of errors) {
    if (!at) continue;
    const places = reported.get(at.source) ?? new Set();
    reported.set(at.source, places.add(placeOf(at)));
  }
  const visit = (node: Located): void => {
    if (reported.get(node.at.source)?.has(placeOf(node.at))) return;
    switch (node.kind) {
      case 'list':
        node.items.forEach(visit);
        return;
      case 'map':
        for (const { value } of node.entries.values()) visit(value);
        return;
      case 'scalar':
        if (!isNonFinite(node.value)) return;
        addDiagnostic(errors, {
          code: 'out-of-range',
          severity: 'error',
          message: 'The number is out of range.',
          at: node.at,
          expected: 'a finite number',
          got: describeValue(node.value),
          help: 'Write a number from -1e308 to 1e308, or remove the setting.',
        });
    }
  };
  visit(root);
};

/** Adds to a mistake in an extended file where that file is named. */
export const withExtends = (document: SpecDocument, errors: readonly Diagnostic[]): Diagnostic[] =>
  errors.map((error) => {
    const from = error.at && document.extendedAt.get(error.at.source);
    return from
      ? { ...error, related: [...(error.related ?? []), { message: 'extended here', at: from }] }
      : error;
  });

/**
 * Finds where an unknown key belongs when no key near it is known at its place: another section, another row of
 * the same section, or the axes of a sweep. `name` is the row that the section uses.
 */
const whereKeyBelongs = (
  issue: Issue,
  registry: Registry,
  written: JsonMap,
  section?: { readonly kind: SectionKind; readonly name: string },
): Issue => {
  if (issue.code !== 'unknown-key' || issue.nearest !== undefined || issue.key === undefined) return issue;
  const { key } = issue;
  const here = section?.kind ?? issue.path.slice(0, -1).join('.');
  const [first = ''] = key.split('.');
  if (key.includes('.') && isSection(first)) return { ...issue, help: helpForAxis(key, here, written) };
  const homes = homesOf(key, registry);
  const rows = homes.find(({ place }) => place === here)?.rows ?? [];
  if (section && issue.path.length === 1 && rows.length > 0) {
    return {
      ...issue,
      help: `Remove ${key}, which ${inWords(rows)} ${rows.length === 1 ? 'has' : 'have'} and ${section.name} does not, or use another ${here}.`,
    };
  }
  const home = homes.find(({ place }) => place !== here);
  if (!home) return issue;
  const place = home.place === '' ? 'at the top level of the spec' : `under ${home.place}`;
  const there = home.place === '' ? written : written[home.place];
  if (typeof there === 'object' && there !== null && Object.hasOwn(there, key))
    return { ...issue, help: `Remove ${key}: it belongs ${place}, where it is set already.` };
  return { ...issue, help: `${key} belongs ${place}; move it there.` };
};

const helpForAxis = (key: string, here: string, { sweep }: JsonMap): string =>
  here.startsWith('sweep')
    ? here === 'sweep' && typeof sweep === 'object' && sweep !== null && Object.hasOwn(sweep, 'axes')
      ? `${key} belongs under sweep.axes; move it there.`
      : `Axes are one level deeper: \`axes: { ${key}: [...] }\`.`
    : `Write ${key.split('.').join(': { ')}: ...${' }'.repeat(key.split('.').length - 1)}, or list its values under sweep.axes.`;

interface Home {
  readonly place: string;
  readonly rows: readonly string[];
}

const homesOf = (key: string, registry: Registry): Home[] => {
  const has = (schema: { readonly properties: object }) => Object.hasOwn(schema.properties, key);
  const homes: Home[] = [];
  if (has(specSchema)) homes.push({ place: '', rows: [] });
  if (has(trainSchema)) homes.push({ place: 'train', rows: [] });
  for (const section of namedSections) {
    const table: Readonly<Record<string, Row>> = registry[section];
    const rows = Object.entries(table).flatMap(([name, row]) => (has(row.parameters) ? [name] : []));
    if (rows.length) homes.push({ place: section, rows });
  }
  if (has(runSchema)) homes.push({ place: 'run', rows: [] });
  if (has(sweepSchema)) homes.push({ place: 'sweep', rows: [] });
  return homes;
};
