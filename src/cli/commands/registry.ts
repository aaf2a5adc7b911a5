import type { TSchema } from '@sinclair/typebox';
import { createColours } from '../../terminal/colours.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { wrap } from '../../terminal/wrap.ts';
import type { Row } from '../../parameters/row.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { shownPath } from '../../registry/own/places.ts';
import { findRow, type Table } from '../../registry/rows.ts';
import type { Execute } from '../command.ts';
import { screen } from '../screen.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

const pc = createColours();

const sections = { models: 'model', datasets: 'dataset', optimizers: 'optimizer', losses: 'loss' } as const;

interface Options {
  readonly json?: boolean | undefined;
}

/** `unroll models`, `unroll datasets`, `unroll optimizers`, `unroll losses`: the list, or one row with its parameters. */
export const describeTable =
  (name: keyof typeof sections): Execute<Options> =>
  async (words, options, terminal) => {
    const plugins = await loadPlugins('.');
    if (!plugins.ok) return terminal.refuse(plugins.errors, options);
    const table: Table<Row> = plugins.value.registry[sections[name]];
    const wanted = words[0];
    if (wanted === undefined) {
      if (options.json)
        terminal.print(
          JSON.stringify(
            Object.entries(table).map(([key, row]) => rowToJson(key, row)),
            null,
            2,
          ),
        );
      else printTable(table, terminal.print);
      return 0;
    }
    const row = findRow(table, wanted);
    if (!row) {
      const names = Object.keys(table);
      const near = nearest(wanted, names);
      terminal.report(
        [
          {
            code: 'unknown-name',
            severity: 'error',
            message: `There is no ${sections[name]} "${wanted}".`,
            at: commandLineRange([name, wanted], wanted),
            expected: names.join(', '),
            ...(near && { nearest: near }),
            help: `\`${proposedCommand([name])}\` lists them.`,
          },
        ],
        options,
      );
      return 2;
    }
    if (options.json) terminal.print(JSON.stringify(rowToJson(wanted, row), null, 2));
    else printRow(wanted, row, terminal.print);
    return 0;
  };

const rowToJson = (name: string, { title, description, version, parameters, origin }: Row) => ({
  name,
  title,
  description,
  version,
  parameters,
  ...(origin && { file: shownPath(origin.file), digest: origin.digest }),
});

type Print = (line: string) => void;

const printTable = (table: Table<Row>, print: Print): void => {
  const width = Math.max(...Object.keys(table).map((name) => name.length));
  for (const [name, { title, origin }] of Object.entries(table)) {
    const from = origin ? pc.dim(`  (${shownPath(origin.file)})`) : '';
    print(`${pc.bold(name.padEnd(width))}  ${title}${from}`);
  }
};

const printRow = (name: string, row: Row, print: Print): void => {
  print(`${pc.bold(name)}: ${row.title}`);
  print('');
  printText(row.description, '', print);
  print('');
  printParameters(row.parameters, '', print);
};

/** Wraps a string into lines that are easy to read. */
const printText = (text: string, indent: string, print: Print): void => {
  const width = Math.min(screen(process.stdout).width, 100) - indent.length;
  for (const line of wrap(text.replace(/\s+/g, ' '), width)) print(`${indent}${line}`);
};

/** Each parameter with what it takes and its default, and below that what it means; nested ones by their path. */
const printParameters = (schema: TSchema, prefix: string, print: Print): void => {
  for (const [key, property] of Object.entries(schema['properties'] as Record<string, TSchema>)) {
    const path = `${prefix}${key}`;
    const nested = property['type'] === 'object';
    print(
      `  ${pc.bold(path)}  ${pc.dim([accepted(property), !nested && defaultOf(property)].filter(Boolean).join(', '))}`,
    );
    if (property.description) printText(property.description, '      ', print);
    if (nested) printParameters(property, `${path}.`, print);
  }
};

const accepted = (schema: TSchema): string => {
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[]).map(String).join(' | ');
  const type = ([schema['type']].flat() as string[]).join(' | ');
  const lower = (schema['minimum'] ?? schema['exclusiveMinimum']) as number | undefined;
  const upper = (schema['maximum'] ?? schema['exclusiveMaximum']) as number | undefined;
  const from = lower !== undefined && `${schema['minimum'] === undefined ? 'above' : 'from'} ${lower}`;
  const to = upper !== undefined && `${schema['maximum'] === undefined ? 'below' : 'to'} ${upper}`;
  return [type, from, to].filter(Boolean).join(' ');
};

const defaultOf = (schema: TSchema): string =>
  schema.default === undefined ? 'required' : `default ${JSON.stringify(schema.default)}`;
