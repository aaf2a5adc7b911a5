import type { TSchema } from '@sinclair/typebox';
import type { DiagnosticCode } from '../diagnostic/codes.ts';
import { failed, success, type Issue, type Result } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { versionOf, type ParameterIssue, type Row } from '../parameters/row.ts';
import { findRow, listNames, type NamedSectionKind, type Registry } from '../registry/rows.ts';
import { canonicalJson, type Json, isObject } from '../system/json.ts';
import { checkAgainst } from './check.ts';
import { describeSetting, describeValue } from './describe.ts';
import type { NamedSection, TrainConfig } from './config.ts';
import { checkTrain, trainSchema, withGoal, type WrittenTrain } from './train-section.ts';
import { proposedCommand } from '../system/proposed-command.ts';

export type JsonMap = Readonly<Record<string, Json>>;

/** The sections that decide a run's numbers, in the order of a spec. */
export const sectionKinds = ['dataset', 'model', 'optimizer', 'loss', 'train'] as const;

export type SectionKind = (typeof sectionKinds)[number];

/** A section with every default filled in. */
export interface SoundSection<T> {
  readonly value: T;
  readonly canonical: string;
  readonly version: number;
}

export type CheckedSection<T> = Result<SoundSection<T>, readonly Issue[]>;

/** The issue that an entry's own check returned for a section, with the value that the section has there. */
export const inSection = (
  issue: ParameterIssue,
  section: JsonMap,
  code: DiagnosticCode = 'conflict',
): Issue => {
  const path: (string | number)[] = [];
  let value: Json | undefined = section;
  for (const part of issue.path === '' ? [] : issue.path.split('.')) {
    const key: string | number = Array.isArray(value) ? Number(part) : part;
    path.push(key);
    value = (value as Readonly<Record<string | number, Json>> | null | undefined)?.[key];
  }
  return {
    code,
    message: issue.message,
    path,
    ...(issue.with && { with: issue.with.map((one) => one.split('.')) }),
    ...(issue.expected !== undefined && { expected: issue.expected }),
    got: issue.got ?? (path.length > 0 ? describeSetting(value) : 'none of these'),
    ...(issue.help !== undefined && { help: issue.help }),
  };
};

/** Looks a section's row up by `name` and checks the other keys by the row's own schema and check. */
export const checkNamedSection = (
  registry: Registry,
  kind: NamedSectionKind,
  written: JsonMap,
): CheckedSection<NamedSection> => {
  const { name, ...rest } = written;
  const table: Readonly<Record<string, Row>> = registry[kind];
  const names = Object.keys(table);
  if (typeof name !== 'string') return failed([nameIssue(written, kind, names)]);
  const row = findRow(table, name);
  if (!row) {
    const near = nearest(name, names);
    return failed([
      {
        code: 'unknown-name',
        message: `No ${kind} is called ${JSON.stringify(name)}.`,
        path: ['name'],
        expected: names.join(', '),
        got: describeValue(name),
        ...(near !== undefined && { nearest: near }),
        help:
          near === undefined
            ? `Write one of these names; \`${proposedCommand([listNames[kind]])}\` describes them.`
            : `Did you mean ${near}? Write \`name: ${near}\`.`,
      },
    ]);
  }
  const { value, issues } = checkAgainst(row.parameters, rest, `${kind} ${name}`);
  if (issues.length) return failed(issues);
  const sound: NamedSection = { name, ...inSchemaOrder(row.parameters, value as JsonMap) };
  const conflicts = row.check?.(sound) ?? [];
  if (conflicts.length) return failed(conflicts.map((issue) => inSection(issue, sound)));
  const section = (row.configured?.(sound) as NamedSection | undefined) ?? sound;
  return success({ value: section, canonical: canonicalJson(section), version: versionOf(row, section) });
};

/** Checks a `train` section. */
export const checkTrainSection = (written: JsonMap): CheckedSection<TrainConfig> => {
  const { value, issues } = checkAgainst(trainSchema, written, 'train');
  if (issues.length) return failed(issues);
  const train = inSchemaOrder(trainSchema, value as JsonMap) as JsonMap & WrittenTrain;
  const conflicts = checkTrain(train);
  if (conflicts.length) {
    return failed(conflicts.map((issue) => inSection(issue, written)));
  }
  const resolved = withGoal(train);
  return success({ value: resolved, canonical: canonicalJson(resolved), version: 0 });
};

/** Checks any of the sections. */
export const checkSection = (
  registry: Registry,
  kind: SectionKind,
  written: JsonMap,
): CheckedSection<NamedSection> | CheckedSection<TrainConfig> =>
  kind === 'train' ? checkTrainSection(written) : checkNamedSection(registry, kind, written);

/** The issue of a name that is not a string: it is missing, another key was written for it, or it is a list of names. */
const nameIssue = (written: JsonMap, kind: NamedSectionKind, names: readonly string[]): Issue => {
  const { name } = written;
  const expected = names.join(', ');
  const isName = (value: Json | undefined) => typeof value === 'string' && names.includes(value);
  const meant =
    name === undefined
      ? (Object.keys(written).find((key) => isName(written[key])) ?? nearest('name', Object.keys(written)))
      : undefined;
  if (meant !== undefined) {
    return {
      code: 'unknown-key',
      message: `The ${kind} has no name, but ${meant}.`,
      path: [meant],
      onKey: true,
      key: meant,
      expected: `name: ${names.join(', ')}`,
      got: meant,
      nearest: 'name',
      help: `Did you mean name? Write \`name:\` in place of \`${meant}:\`.`,
    };
  }
  const listed = Array.isArray(name) && name.length > 0 && name.every(isName);
  return {
    code: name === undefined ? 'missing-key' : 'wrong-type',
    message: name === undefined ? `The ${kind} has no name.` : 'name has the wrong type.',
    path: name === undefined ? [] : ['name'],
    onKey: name === undefined,
    key: 'name',
    expected,
    got: describeValue(name),
    help: listed
      ? `Write one name here; to try several, write \`${kind}.name: [${name.join(', ')}]\` under sweep.axes.`
      : `${name === undefined ? 'Add' : 'Write'} for example \`name: ${names[0] ?? ''}\`; \`${proposedCommand([listNames[kind]])}\` lists what there is.`,
  };
};

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema>>;
}

/** The values in the order of the schema, without the defaults that runs recorded before do not have. */
const inSchemaOrder = (schema: TSchema, value: JsonMap): JsonMap => {
  const { properties = {} } = schema as ObjectSchema;
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, inner]) => {
      const found = value[key];
      return found === undefined || isLeftOut(inner, found) ? [] : [[key, withoutLater(inner, found)]];
    }),
  );
};

const isLeftOut = ({ addedLater, default: preset }: TSchema, value: Json): boolean =>
  addedLater === true && canonicalJson(value) === canonicalJson(preset as Json);

/** The value of a parameter, without the defaults that its own keys got later. */
const withoutLater = (schema: TSchema, value: Json): Json => {
  const { properties } = schema as ObjectSchema;
  if (!properties || !isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, found]: [string, Json]) => {
      const inner = properties[key];
      if (!inner) return [[key, found]];
      return isLeftOut(inner, found) ? [] : [[key, withoutLater(inner, found)]];
    }),
  );
};
