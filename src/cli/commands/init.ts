import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { documentOfText } from '../../language/load-spec.ts';
import { validateSpec } from '../../language/validate-spec.ts';
import { createFiles } from '../../system/files.ts';
import { packageRoot } from '../../system/package-root.ts';
import type { Row } from '../../parameters/row.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { findRow, requiredSections, type RequiredSectionKind, type Registry } from '../../registry/rows.ts';
import { coreCount } from '../../record/environment.ts';
import { unrollSpec } from '../../plan/plan-experiment.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import type { Execute } from '../command.ts';
import { withQuestions, type Ask } from '../init/ask.ts';
import { exampleData } from '../init/example-data.ts';
import { guessSettings } from '../init/guess-settings.ts';
import { newSpec, requiredParameters, type SpecChoice } from '../init/new-spec.ts';
import { readSetting } from '../init/read-setting.ts';
import { commandLineRange } from '../usage.ts';

const presets = { dataset: 'mnist-rows', model: 'lstm', optimizer: 'adam' } as const;

interface Options extends Partial<Record<RequiredSectionKind | 'name', string | undefined>> {
  readonly set?: readonly string[] | undefined;
  readonly defaults?: boolean | undefined;
}

/** `unroll init [FILE]`: writes a commented spec. Asks for what is not given, if somebody is there to answer. */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const file = words[0] ?? 'experiment.yaml';
  const plugins = await loadPlugins(dirname(file));
  if (!plugins.ok) return terminal.refuse(plugins.errors);
  const { registry } = plugins.value;
  const written = (options.set ?? []).map((text) => readSetting(text, file));
  const wrong = [
    ...written.flatMap((one) => (one.ok ? [] : one.errors)),
    ...unknownNames(options, registry),
    ...existing(file),
  ];
  if (wrong.length > 0) return terminal.refuse(wrong);
  const interactive = process.stdin.isTTY && process.stdout.isTTY && options.defaults !== true;
  const set = Object.fromEntries(written.flatMap((one) => (one.ok ? [one.value] : [])));
  const wanted = { file, set, options, registry };
  const choice = await (interactive
    ? withQuestions((ask) => choose(wanted, ask))
    : choose(wanted, ({ preset }) => Promise.resolve(preset)));
  if (!choice) return 130;

  const text = newSpec({ ...choice, file, ...schemaFor(file) }, registry);
  const example = await exampleFor(choice, file);
  const withData = Object.keys(example).length === 0;
  const errors = await errorsOf(text, { file, registry, withData });
  // A spec whose data is still to be fetched is what was asked for.
  const isLacking = errors.length > 0 && errors.every(({ code }) => code === 'data-missing');
  if (errors.length > 0 && !isLacking)
    return terminal.refuse(errors.map((error) => onCommandLine(error, choice.name)));
  createFiles({ [file]: text, ...example });
  terminal.print(`${file} is written.`);
  for (const path of Object.keys(example))
    terminal.print(`${path} is written: example data, to be replaced by your own.`);
  if (isLacking) return terminal.refuse(errors);
  terminal.print(`Train it with: ${proposedCommand(['run', file])}`);
  return 0;
};

/** What is wrong with the new spec, and with the data that it names unless that is still to be written. */
const errorsOf = async (
  text: string,
  {
    file,
    registry,
    withData,
  }: { readonly file: string; readonly registry: Registry; readonly withData: boolean },
): Promise<readonly Diagnostic[]> => {
  const document = documentOfText({ path: file, text });
  if (!document.ok) return document.errors;
  const spec = validateSpec(document.value, registry);
  if (!spec.ok) return spec.errors;
  const plan = withData ? await unrollSpec(spec.value, { cores: coreCount() }) : undefined;
  return plan?.ok === false ? plan.errors : [];
};

/** A mistake in the name is one of the command line, where it was given. */
const onCommandLine = (error: Diagnostic, name: string): Diagnostic => {
  const { source, start = 0 } = error.at ?? {};
  const isName = source !== undefined && /(^|\n)name: $/.test(source.text.slice(0, start));
  return isName ? { ...error, at: commandLineRange(['init', '--name', name], name) } : error;
};

/** The example data of a dataset whose file is not there yet, by its path. */
const exampleFor = async (
  { dataset, values }: Choice,
  file: string,
): Promise<Readonly<Record<string, string | Uint8Array>>> => {
  const example = exampleData[dataset];
  if (example === undefined || values['dataset.file'] !== example.settings['file']) return {};
  const pathOf = (parameter: string) => join(dirname(file), String(example.settings[parameter]));
  if (existsSync(pathOf('file'))) return {};
  const others = Object.entries(example.others ?? {}).map(
    ([parameter, content]) => [pathOf(parameter), content()] as const,
  );
  return { [pathOf('file')]: await example.content(), ...Object.fromEntries(others) };
};

type Choice = Omit<SpecChoice, 'file' | 'schema'>;

interface Wanted {
  readonly file: string;
  /** The values after `--set`, by path. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly options: Options;
  readonly registry: Registry;
}

const choose = async ({ file, set, options, registry }: Wanted, ask: Ask): Promise<Choice | undefined> => {
  const values = { ...set };
  const fromFile =
    basename(file, extname(file))
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64) || 'experiment';
  const name = options.name ?? (await ask({ text: 'Name of the experiment', preset: fromFile }));
  if (name === undefined) return undefined;
  const chosen: Record<RequiredSectionKind, string> = { ...presets };
  for (const kind of requiredSections) {
    const names = Object.keys(registry[kind]);
    const one = options[kind] ?? (await ask({ text: `Which ${kind}?`, preset: presets[kind], names }));
    if (one === undefined) return undefined;
    chosen[kind] = one;
    const row = findRow<Row>(registry[kind], one);
    if (!row) continue;
    const settings = kind === 'dataset' ? datasetSettings(one, { file, set }) : {};
    const { properties } = row.parameters;
    for (const key of new Set([...requiredParameters(row).map(([key]) => key), ...Object.keys(settings)])) {
      const path = `${kind}.${key}`;
      if (path in values) continue;
      const [preset] = (properties[key]?.['examples'] ?? []) as readonly unknown[];
      const answer = await ask({
        text: `${path}: ${properties[key]?.description ?? ''}`,
        preset: JSON.stringify(settings[key] ?? preset),
      });
      if (answer === undefined) return undefined;
      values[path] = parse(answer);
    }
  }
  return { name, ...chosen, values };
};

/** Settings that fit the data: what its file suggests, or those of the example data. */
const datasetSettings = (
  dataset: string,
  { file, set }: Pick<Wanted, 'file' | 'set'>,
): Readonly<Record<string, unknown>> => {
  const example = exampleData[dataset]?.settings;
  const named = set['dataset.file'] ?? example?.['file'];
  const guessed = typeof named === 'string' ? guessSettings(dataset, named, dirname(file)) : undefined;
  // What fits the example data fits no file that is named.
  if (guessed === undefined) return 'dataset.file' in set ? {} : (example ?? {});
  return { file: named, ...guessed };
};

const existing = (file: string): Diagnostic[] =>
  existsSync(file)
    ? [
        {
          code: 'file-exists',
          severity: 'error',
          message: `${file} exists already and is not overwritten.`,
          at: commandLineRange(['init', file], file),
          expected: 'the path of a new file',
          help: 'Name another file, or remove this one.',
        },
      ]
    : [];

const unknownNames = (options: Options, registry: Registry): Diagnostic[] =>
  requiredSections.flatMap((kind): Diagnostic[] => {
    const written = options[kind];
    const names = Object.keys(registry[kind]);
    if (written === undefined || names.includes(written)) return [];
    const near = nearest(written, names);
    return [
      {
        code: 'unknown-name',
        severity: 'error',
        message: `There is no ${kind} "${written}".`,
        at: commandLineRange(['init', `--${kind}`, written], written),
        expected: names.join(', '),
        ...(near !== undefined && { nearest: near }),
        help: `\`${proposedCommand([`${kind}s`])}\` lists them.`,
      },
    ];
  });

/** The schema's path as editors need it; none if the package is outside the folder, since the path would be valid on this machine only. */
const schemaFor = (file: string): { readonly schema?: string } => {
  const schema = join(packageRoot, 'schema', 'experiment.schema.json');
  if (relative(process.cwd(), schema).startsWith('..')) return {};
  const path = relative(dirname(resolve(file)), schema)
    .split('\\')
    .join('/');
  return { schema: path.startsWith('.') ? path : `./${path}` };
};
