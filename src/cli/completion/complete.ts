import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, type Option } from '@commander-js/extra-typings';
import { diagnosticCodes } from '../../diagnostic/codes.ts';
import { metrics } from '../../metrics/metrics.ts';
import type { NamedSectionKind, Registry } from '../../registry/rows.ts';
import { pathSchemas, rowsOf } from '../../registry/schema.ts';
import { bestPrefix } from '../../record/resolve-run.ts';
import { listExperiments, listRunIds } from '../../record/read-runs.ts';
import { listSweeps } from '../../record/read-sweeps.ts';
import { usualRunsDirectory } from '../../system/proposed-command.ts';
import type { CommandRow } from '../command.ts';
import { newKinds } from '../init/own-row.ts';
import { prunable } from '../removals.ts';

/** What may be at a place of the command line. The user continues a value that ends in `=` or `/`. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** The shells for which `unroll completion` has a script. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** What is known: the commands, and the entries, the user's own among them. */
export interface Known {
  readonly commands: readonly CommandRow[];
  /** Read only where entries are completed: those of the user are compiled for it. */
  readonly registry: Registry;
}

/** What the last of the words after `unroll` may be. */
export const complete = (words: readonly string[], known: Known): readonly Candidate[] => {
  const [first = '', ...rest] = words;
  const current = words.at(-1) ?? '';
  return candidates(first, rest, known).filter(({ value }) => value.startsWith(current));
};

const candidates = (first: string, rest: readonly string[], known: Known): readonly Candidate[] => {
  const { commands } = known;
  const visible = commands.filter(({ hidden }) => hidden !== true);
  if (rest.length === 0)
    return [
      ...visible.map(({ name, summary }) => ({ value: name, description: summary })),
      { value: '--help', description: 'print this help' },
      { value: '--version', description: 'print the version' },
    ];
  const row = commands.find(({ name }) => name === first);
  if (!row) return [];
  const { command } = row.declare(new Command(row.name));
  const before = rest.slice(0, -1);
  const current = rest.at(-1) ?? '';
  const place: Place = { command: row.name, current, known, runsDirectory: runsDirectoryIn(before) };
  const option = command.options.find(({ long }) => long === before.at(-1));
  if (option && takesValue(option)) return optionValues(option, place);
  if (current.startsWith('-'))
    return [
      ...command.options.map(({ long, description }) => ({ value: long ?? '', description })),
      { value: '--help', description: 'print this help' },
    ];
  const places = before.filter(
    (word, at) => !word.startsWith('-') && !isValueOf(command.options, before[at - 1]),
  ).length;
  const declared = command.registeredArguments;
  const argument = declared[places] ?? (declared.at(-1)?.variadic ? declared.at(-1) : undefined);
  return argument ? argumentValues(argument.name(), place) : [];
};

/** Where a word is being completed. */
interface Place {
  readonly command: string;
  readonly current: string;
  readonly runsDirectory: string;
  readonly known: Known;
}

const takesValue = (option: Option): boolean => option.required || option.optional;

const isValueOf = (options: readonly Option[], before: string | undefined): boolean =>
  options.some((option) => option.long === before && takesValue(option));

const runsDirectoryIn = (words: readonly string[]): string => {
  const at = words.indexOf('--runs-directory');
  const joined = words.find((word) => word.startsWith('--runs-directory='));
  return (at === -1 ? joined?.slice('--runs-directory='.length) : words[at + 1]) ?? usualRunsDirectory;
};

const optionValues = (
  option: Option,
  { command, current, known, runsDirectory }: Place,
): readonly Candidate[] => {
  if (option.argChoices) return option.argChoices.map((value) => ({ value }));
  switch (option.long ?? '') {
    case '--sweep':
      return command === 'compare' || command === 'report'
        ? sweeps(runsDirectory)
        : assignments(current, '=', known.registry);
    case '--set':
    case '--group-by':
    case '--filter':
    case '--only':
      return assignments(current, option.long === '--group-by' ? '' : '=', known.registry);
    case '--model':
    case '--dataset':
    case '--optimizer':
      return named((option.long ?? '').slice(2) as NamedSectionKind, known.registry);
    case '--experiment':
      return experiments(runsDirectory);
    case '--runs-directory':
    case '--spec-directory':
    case '--write':
    case '--check':
    case '--store':
      return files(current, () => false);
    case '--output':
    case '--input':
    case '--data':
    case '--parquet':
    case '--junit':
    case '--plot':
      return files(current, () => true);
    default:
      return [];
  }
};

/** `model.hiddenSize=`, and after the `=` the values that a schema lists. */
const assignments = (current: string, joint: '' | '=', registry: Registry): readonly Candidate[] => {
  const equals = current.indexOf('=');
  const paths = pathSchemas(registry);
  if (equals === -1)
    return [...paths].map(([path, [schema]]) => ({
      value: `${path}${joint}`,
      ...(typeof schema?.['description'] === 'string' && { description: schema['description'] }),
    }));
  const path = current.slice(0, equals);
  const values: readonly unknown[] = (paths.get(path) ?? []).flatMap((schema) =>
    schema['type'] === 'boolean' ? [true, false] : ((schema['enum'] ?? []) as readonly unknown[]),
  );
  const typed = current.slice(equals + 1);
  const done = typed.slice(0, typed.lastIndexOf(',') + 1);
  return values.map((value) => ({ value: `${path}=${done}${String(value)}` }));
};

const named = (kind: NamedSectionKind, registry: Registry): readonly Candidate[] =>
  rowsOf(registry, kind).map(([value, { title }]) => ({ value, description: title }));

const argumentValues = (argument: string, place: Place): readonly Candidate[] => {
  const { command, current, runsDirectory, known } = place;
  switch (argument) {
    case 'spec':
    case 'file':
      return files(current, (name) => /\.ya?ml$/.test(name));
    case 'model':
    case 'models':
      return command === 'serve' ? namedModels(place) : models(place);
    case 'run':
    case 'other':
      return [
        ...references(runsDirectory),
        ...(command === 'verify' ? files(current, (name) => name.endsWith('.zip')) : []),
      ];
    case 'experiment':
    case 'sweep':
    case 'sweeps':
      return command === 'ls'
        ? experiments(runsDirectory)
        : [...experiments(runsDirectory), ...sweeps(runsDirectory)];
    case 'what':
      if (command === 'prune') return prunable.map((value) => ({ value }));
      return [...experiments(runsDirectory), ...runIds(runsDirectory)];
    case 'codes':
      return Object.entries(diagnosticCodes).map(([value, description]) => ({ value, description }));
    case 'kind':
      return newKinds.map((value) => ({ value }));
    case 'shell':
      return shells.map((value) => ({ value }));
    case 'name':
      switch (command) {
        case 'models':
          return named('model', known.registry);
        case 'datasets':
          return named('dataset', known.registry);
        case 'optimizers':
          return named('optimizer', known.registry);
        case 'losses':
          return named('loss', known.registry);
        case 'metrics':
          return Object.entries({ ...metrics, ...known.registry.metric }).map(([value, { description }]) => ({
            value,
            description,
          }));
        case 'schema':
          return ['experiment', 'run', 'diagnostics'].map((value) => ({ value }));
        default:
          return [];
      }
    default:
      return [];
  }
};

const experiments = (runsDirectory: string): readonly Candidate[] =>
  listExperiments(runsDirectory).map((value) => ({ value, description: 'experiment' }));

const sweeps = (runsDirectory: string): readonly Candidate[] =>
  listSweeps(runsDirectory).sweeps.map(({ plan }) => ({
    value: plan.sweepId,
    description: `sweep of ${plan.experiment}`,
  }));

const runIds = (runsDirectory: string): readonly Candidate[] =>
  listExperiments(runsDirectory).flatMap((experiment) =>
    listRunIds(runsDirectory, experiment).map((value) => ({ value, description: experiment })),
  );

/** What names a run: its id, or that it is the best of an experiment. */
const references = (runsDirectory: string): readonly Candidate[] => [
  ...listExperiments(runsDirectory).map((name) => ({
    value: `${bestPrefix}${name}`,
    description: `the best run of ${name}`,
  })),
  ...runIds(runsDirectory),
];

const models = ({ current, runsDirectory }: Place): readonly Candidate[] => [
  ...references(runsDirectory),
  ...files(current, (name) => /\.onnx$/i.test(name)),
];

/** `NAME=MODEL`, or a model. */
const namedModels = (place: Place): readonly Candidate[] => {
  const start = place.current.indexOf('=') + 1;
  const name = place.current.slice(0, start);
  return models({ ...place, current: place.current.slice(start) }).map(({ value, ...rest }) => ({
    value: `${name}${value}`,
    ...rest,
  }));
};

/** Files that fit, and folders, which may hold some. */
const files = (current: string, fits: (name: string) => boolean): readonly Candidate[] => {
  const folder = current.endsWith('/') ? current : dirname(current);
  const prefix = current.includes('/') ? `${folder.replace(/\/$/, '')}/` : '';
  try {
    return readdirSync(folder || '.', { withFileTypes: true }).flatMap((entry) => {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      const value = current.includes('/') ? join(prefix, entry.name) : entry.name;
      if (entry.isDirectory()) return [{ value: `${value}/` }];
      return fits(entry.name) ? [{ value }] : [];
    });
  } catch {
    return [];
  }
};
