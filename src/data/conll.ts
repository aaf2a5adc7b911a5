import { Type, type Static } from '@sinclair/typebox';
import { addedLater, choice, nullable } from '../parameters/schema.ts';
import type { DatasetRow } from './dataset.ts';
import type { TableFormat } from './table/ensure-pack.ts';
import { checkTable } from './table/check-table.ts';
import { settled, type TableParameters } from './table/parameters.ts';
import { fromText } from './text/from-text.ts';
import { asTable, conllColumns, fileParameters } from './text/parameters.ts';
import { givenTokensParameter } from './text/tokens.ts';

const parameters = Type.Object(
  {
    ...fileParameters,
    split: addedLater(
      choice(['random', 'grouped', 'chronological'], {
        default: 'random',
        description:
          'How sentences are divided into parts: random: drawn by splitSeed; grouped: all sentences of a document are in the same part, where a document starts with a line `-DOCSTART-` or `# newdoc`; chronological: the last ones of the file are the test part, those before them the validation part.',
      }),
    ),
    tokenColumn: Type.Integer({
      minimum: 1,
      default: 1,
      description: 'The column of the token, counted from 1.',
      examples: [2],
    }),
    labelColumn: nullable(
      Type.Integer({
        minimum: 1,
        description: 'The column of the label, counted from 1. null: the last one.',
        examples: [4],
      }),
    ),
    tokens: givenTokensParameter,
  },
  { additionalProperties: false },
);

type Parameters = Static<typeof parameters>;

const tableOf = (chosen: Parameters): Parameters & TableParameters =>
  asTable({
    ...chosen,
    text: 'token',
    task: 'labelling' as const,
    targets: ['label'],
    splitBy: chosen.split === 'grouped' ? conllColumns.document : null,
  });

/** Raised whenever the same file would make another pack. */
const conllVersion = 2;

const formatOf = async (chosen: Parameters): Promise<TableFormat> => {
  const [{ conllReader }, { textSink }] = await Promise.all([
    import('./text/read-conll.ts'),
    import('./text/sink.ts'),
  ]);
  const { tokenColumn, labelColumn, tokens } = chosen;
  const { lowercase, maxLength } = tokens;
  return {
    settings: settled(tableOf(chosen)),
    read: conllReader({ token: tokenColumn, label: labelColumn }),
    layOut: (context, available) =>
      textSink(context, available, { text: conllColumns.text, lowercase, maxLength }),
    key: ['conll', conllVersion, tokenColumn, labelColumn, lowercase, maxLength],
  };
};

/** Sentences with a label for each token. */
export const conll = {
  title: 'Sentences with a label for each token',
  description:
    'One token a line with its labels, split by spaces or tabs, and a blank line between sentences, as in the CoNLL shared tasks. The vocabulary has the tokens of the training part, and <unk> for all others.',
  version: 1,
  parameters,
  check: (chosen) => [
    ...checkTable(tableOf(chosen)),
    ...(chosen.tokenColumn === chosen.labelColumn
      ? [
          {
            path: 'labelColumn',
            with: ['tokenColumn'],
            message: 'The token and its label are in the same column.',
            expected: 'two different columns',
            help: 'Change one of them, or leave out `labelColumn` to read the last column.',
          },
        ]
      : []),
  ],
  ...fromText(tableOf, formatOf),
} as const satisfies DatasetRow<typeof parameters>;
