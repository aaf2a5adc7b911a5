import { diagnosticCodes } from './codes.ts';
import type { Diagnostic, SourceRange } from './diagnostic.ts';
import { bounded, mostInJson, selectDiagnostics, type Omitted } from './most.ts';
import { positionOf } from './position.ts';

/** What a command prints with `--json`: at most 1,000 diagnostics of a code, and the numbers of the others. */
export const diagnosticsToJson = (
  diagnostics: readonly Diagnostic[],
): { readonly diagnostics: readonly object[]; readonly omitted?: readonly Omitted[] } => {
  const { shown, omitted } = selectDiagnostics(diagnostics, mostInJson);
  return { diagnostics: shown.map(diagnosticToJson), ...(omitted.length > 0 && { omitted }) };
};

/** The form that programs read: positions as line and column, counted from 1. */
const diagnosticToJson = ({ at, related, ...rest }: Diagnostic): object => ({
  // A diagnostic may carry more, such as what the MLflow client needs to retry.
  ...Object.fromEntries(
    Object.entries(rest)
      .filter(([name]) => printed.has(name))
      .map(([name, value]) => [name, typeof value === 'string' ? bounded(value) : value]),
  ),
  ...(at && { at: rangeToJson(at) }),
  ...(related && { related: related.map((one) => ({ message: one.message, at: rangeToJson(one.at) })) }),
});

const printed: ReadonlySet<string> = new Set([
  'code',
  'severity',
  'message',
  'expected',
  'got',
  'nearest',
  'help',
] satisfies (keyof Diagnostic)[]);

const rangeToJson = ({ source, start, end }: SourceRange) => {
  const from = positionOf(source.text, start);
  const to = positionOf(source.text, end);
  return { file: source.name, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
};

const text = (description: string) => ({ type: 'string', description });

const count = (description: string) => ({ type: 'integer', minimum: 1, description });

const range = {
  type: 'object',
  description: 'A range of a file; its end is not part of it.',
  additionalProperties: false,
  required: ['file', 'line', 'column', 'endLine', 'endColumn'],
  properties: {
    file: text('The path as it was written, or "command line".'),
    line: count('The line, from 1.'),
    column: count('The column in UTF-16 units, from 1.'),
    endLine: count('The line of the end.'),
    endColumn: count('The column of the end.'),
  },
};

/** JSON Schema of what a command prints with `--json` when it has diagnostics. */
export const diagnosticsSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Unroll diagnostics',
  description:
    'What `unroll validate --json` prints, and every other command with --json when its input is wrong.',
  type: 'object',
  required: ['diagnostics'],
  properties: {
    diagnostics: {
      type: 'array',
      description: `Mistakes, warnings and notices, at most ${mostInJson} of a code and severity.`,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['code', 'severity', 'message'],
        properties: {
          code: {
            type: 'string',
            enum: Object.keys(diagnosticCodes),
            description: 'What kind of mistake it is; stays the same from version to version.',
          },
          severity: {
            type: 'string',
            enum: ['error', 'warning', 'notice'],
            description: 'Only an error keeps the command from its work.',
          },
          message: text('One sentence, without the place.'),
          at: range,
          expected: text('What is accepted at this place.'),
          got: text('What is there.'),
          nearest: text('The known name that is most like the one that is written.'),
          help: text('How to fix it.'),
          related: {
            type: 'array',
            description: 'Other places that have a part in it.',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['message', 'at'],
              properties: { message: text('What is at this place.'), at: range },
            },
          },
        },
      },
    },
    omitted: {
      type: 'array',
      description: 'How many more there are of a code and severity.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['code', 'severity', 'count'],
        properties: {
          code: { type: 'string', enum: Object.keys(diagnosticCodes) },
          severity: { type: 'string', enum: ['error', 'warning', 'notice'] },
          count: count('The number of those that are left out.'),
        },
      },
    },
    data: {
      type: 'array',
      description:
        '`unroll validate`: what the data of the valid spec is, for each different dataset section.',
      items: { type: 'object', required: ['dataset', 'description'] },
    },
    runCount: {
      type: 'integer',
      minimum: 0,
      description: '`unroll validate`: how many runs the valid spec unrolls into.',
    },
  },
};
