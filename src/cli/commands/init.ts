import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { packageRoot } from '../../system/package-root.ts';
import type { Row } from '../../parameters/row.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { findRow, namedSections, type NamedSectionKind, type Registry } from '../../registry/rows.ts';
import { coreCount } from '../../record/environment.ts';
import { planExperiment } from '../../plan/plan-experiment.ts';
import type { Execute } from '../command.ts';
import { withQuestions, type Ask } from '../init/ask.ts';
import { newSpec, requiredParameters } from '../init/new-spec.ts';
import { commandLineRange } from '../usage.ts';

const presets = { dataset: 'mnist-rows', model: 'lstm', optimizer: 'adam' } as const;

/** `unroll init [FILE]`: writes a commented spec. Asks for what is not given, if somebody is there to answer. */
export const execute: Execute = async (words, options, terminal) => {
  const file = words[0] ?? 'experiment.yaml';
  const plugins = await loadPlugins(dirname(file));
  if (!plugins.ok) {
    terminal.report(plugins.errors);
    return 2;
  }
  const { registry } = plugins.value;
  const wrong = [...unknownNames(options, registry), ...existing(file)];
  if (wrong.length > 0) {
    terminal.report(wrong);
    return 2;
  }
  const interactive = process.stdin.isTTY && process.stdout.isTTY && options['defaults'] !== true;
  const choice = await (interactive
    ? withQuestions((ask) => choose({ file, options, registry }, ask))
    : choose({ file, options, registry }, ({ preset }) => Promise.resolve(preset)));
  if (!choice) return 130;

  const text = newSpec({ ...choice, file, ...schemaFor(file) }, registry);
  mkdirSync(dirname(file), { recursive: true });
  // `wx`: whatever came into being meanwhile is not overwritten either.
  writeFileSync(file, text, { flag: 'wx' });
  terminal.print(`${file} is written.`);
  const planned = await planExperiment(file, {
    set: [],
    sweep: [],
    allowManyRuns: false,
    cores: coreCount(),
  });
  if (!planned.ok) {
    terminal.report(planned.errors);
    return 2;
  }
  terminal.print(`Train it with: unroll run ${file}`);
  return 0;
};

interface Wanted {
  readonly file: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly registry: Registry;
}

const choose = async ({ file, options, registry }: Wanted, ask: Ask) => {
  const values = Object.fromEntries(
    ((options['set'] ?? []) as readonly string[]).map((text) => {
      const equals = text.indexOf('=');
      return [text.slice(0, equals), parse(text.slice(equals + 1)) as unknown] as const;
    }),
  );
  const given = (key: string) => (typeof options[key] === 'string' ? options[key] : undefined);
  const fromFile = basename(file, extname(file)).replace(/[^A-Za-z0-9._-]+/g, '-');
  const name = given('name') ?? (await ask({ text: 'Name of the experiment', preset: fromFile }));
  if (name === undefined) return undefined;
  const chosen: Record<NamedSectionKind, string> = { ...presets };
  for (const kind of namedSections) {
    const names = Object.keys(registry[kind]);
    const one = given(kind) ?? (await ask({ text: `Which ${kind}?`, preset: presets[kind], names }));
    if (one === undefined) return undefined;
    chosen[kind] = one;
    const row = findRow<Row>(registry[kind], one);
    for (const [key, schema] of row ? requiredParameters(row) : []) {
      const path = `${kind}.${key}`;
      if (path in values) continue;
      const [example] = (schema['examples'] ?? []) as readonly unknown[];
      const answer = await ask({
        text: `${path}: ${schema.description ?? ''}`,
        preset: JSON.stringify(example),
      });
      if (answer === undefined) return undefined;
      values[path] = parse(answer);
    }
  }
  return { name, ...chosen, values };
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

const unknownNames = (options: Readonly<Record<string, unknown>>, registry: Registry): Diagnostic[] =>
  namedSections.flatMap((kind): Diagnostic[] => {
    const written = options[kind];
    const names = Object.keys(registry[kind]);
    if (typeof written !== 'string' || names.includes(written)) return [];
    const near = nearest(written, names);
    return [
      {
        code: 'unknown-name',
        severity: 'error',
        message: `There is no ${kind} "${written}".`,
        at: commandLineRange(['init', `--${kind}`, written], written),
        expected: names.join(', '),
        ...(near !== undefined && { nearest: near }),
        help: `unroll ${kind}s lists them.`,
      },
    ];
  });

/** The schema's path as editors need it; none where the package lies outside, since the path would be of this machine only. */
const schemaFor = (file: string): { readonly schema?: string } => {
  const schema = join(packageRoot, 'schema', 'experiment.schema.json');
  if (relative(process.cwd(), schema).startsWith('..')) return {};
  const path = relative(dirname(resolve(file)), schema)
    .split('\\')
    .join('/');
  return { schema: path.startsWith('.') ? path : `./${path}` };
};
