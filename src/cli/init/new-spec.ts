import type { TSchema } from '@sinclair/typebox';
import { stringify } from 'yaml';
import type { Row } from '../../parameters/row.ts';
import { findRow, requiredSections, type Registry, type RequiredSectionKind } from '../../registry/rows.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** What a new spec is made of; every name is registered. */
export interface SpecChoice {
  readonly name: string;
  readonly dataset: string;
  readonly model: string;
  readonly optimizer: string;
  /** Values by path, such as `dataset.file`: what `--set` gave. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The path of the schema from the spec, for editors. */
  readonly schema?: string;
  /** The spec's own path, for the command in its head. */
  readonly file: string;
}

/** The parameters that a beginner changes first, beside those that must be written. */
const usual: Readonly<Record<RequiredSectionKind, readonly string[]>> = {
  dataset: [],
  model: ['hiddenSize'],
  optimizer: ['learningRate'],
};

/** One value as YAML on one line. */
const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();

/** The first sentence of a description, up to a colon unless that follows a single word: `long: one row a step.` */
const firstSentence = (text: string): string =>
  /^(?:\w+: )?.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;

/** Parameters without a default, which a spec must give. */
export const requiredParameters = ({ parameters }: Row): readonly (readonly [string, TSchema])[] =>
  Object.entries(parameters.properties).filter(
    ([key, schema]) => schema.default === undefined && (parameters.required ?? []).includes(key),
  );

/** A commented spec that runs: the chosen rows with what they need, and the rest of the language to uncomment. */
export const newSpec = (choice: SpecChoice, registry: Registry): string => {
  const lines = [`# ${proposedCommand(['run', choice.file])}`];
  if (choice.schema) lines.push(`# yaml-language-server: $schema=${choice.schema}`);
  lines.push('version: 1', `name: ${inline(choice.name)} # runs are recorded in runs/${choice.name}/`, '');
  for (const kind of requiredSections) lines.push(...sectionLines(kind, choice, registry), '');
  lines.push(
    '# How long to train: epochs, steps or trainingIters (examples).',
    'train:',
    '  batchSize: 128',
    '  epochs: 1',
    '',
    '# Each point of the sweep is trained once for each seed; the comparison shows mean and spread.',
    '# seeds: [1, 2, 3]',
    '',
    '# Any path of the spec can vary; the plan has every combination.',
    '# sweep:',
    '#   axes:',
    ...axisLines(choice, registry),
  );
  return `${lines.join('\n')}\n`;
};

const sectionLines = (kind: RequiredSectionKind, choice: SpecChoice, registry: Registry): string[] => {
  const name = choice[kind];
  const row = findRow<Row>(registry[kind], name);
  if (!row) throw new Error(`No ${kind} is called "${name}".`);
  const { properties } = row.parameters;
  const set = Object.keys(choice.values).flatMap((path) => {
    const [section, ...rest] = path.split('.');
    return section === kind && rest.length === 1 ? rest : [];
  });
  const required = requiredParameters(row).map(([key]) => key);
  const keys = new Set([...required, ...usual[kind].filter((key) => key in properties), ...set]);
  const valueLines = [...keys].map((key) => {
    const schema = properties[key];
    const given = choice.values[`${kind}.${key}`];
    const examples = (schema?.['examples'] ?? []) as readonly unknown[];
    const preset: unknown = schema?.default ?? examples[0];
    const value = given ?? preset;
    const about = schema?.description === undefined ? '' : ` # ${firstSentence(schema.description)}`;
    return `  ${key}: ${inline(value)}${about}`;
  });
  return [
    `# ${row.title}; all its parameters: ${proposedCommand([`${kind}s`, name])}`,
    `${kind}:`,
    `  name: ${name}`,
    ...valueLines,
  ];
};

const axisLines = ({ model, optimizer }: SpecChoice, registry: Registry): string[] => {
  const has = (row: Row | undefined, key: string) => row !== undefined && key in row.parameters.properties;
  const lines: string[] = [];
  if (has(findRow<Row>(registry.model, model), 'hiddenSize')) lines.push('#     model.hiddenSize: [64, 128]');
  if (has(findRow<Row>(registry.optimizer, optimizer), 'learningRate'))
    lines.push('#     optimizer.learningRate: { log: [1e-4, 1e-2], steps: 3 }');
  return lines;
};
