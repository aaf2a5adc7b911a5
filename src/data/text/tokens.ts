import { Type, type Static } from '@sinclair/typebox';
import { choice, nullable } from '../../parameters/schema.ts';
import type { ParameterIssue } from '../../parameters/row.ts';

/** What a token is. */
const units = ['words', 'characters', 'bytes'] as const;
export type Unit = (typeof units)[number];

export const unitParameter = choice(units, {
  default: 'words',
  description:
    'What a token is. words: a run of letters and digits, or any other character that is no space. characters: a Unicode code point. bytes: a byte of the UTF-8 text.',
  examples: ['words', 'characters'],
});

/** How a vocabulary is made of tokens, whatever splits the text. */
export const vocabularyProperties = {
  lowercase: Type.Boolean({
    default: false,
    description: 'Read the text in lower case.',
    examples: [true],
  }),
  maxVocabulary: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 10_000_000,
      description:
        'Keep this many of the most frequent tokens of the training part; the others are unknown. null: all.',
      examples: [10_000],
    }),
  ),
  minCount: Type.Integer({
    minimum: 1,
    default: 1,
    description: 'Tokens that are rarer than this in the training part are unknown.',
    examples: [2],
  }),
};

const maxLength = nullable(
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Read only the first tokens of a longer text. null: all of them.',
    examples: [200],
  }),
);

/** The `tokens` of a dataset whose texts are split here. */
export const tokensParameter = Type.Object(
  { unit: unitParameter, ...vocabularyProperties, maxLength },
  {
    default: {},
    description: 'How each text is split into tokens, and which of them the vocabulary has.',
    examples: [{ unit: 'words', minCount: 2 }],
  },
);

/** The `tokens` of a dataset that comes split into tokens. */
export const givenTokensParameter = Type.Object(
  { ...vocabularyProperties, maxLength },
  { default: {}, description: 'Which tokens the vocabulary has.', examples: [{ minCount: 2 }] },
);

/** The `tokens` of one long text. */
export const streamTokensParameter = Type.Object(
  { unit: unitParameter, ...vocabularyProperties },
  {
    default: {},
    description: 'How the text becomes tokens, and which of them the vocabulary has.',
    examples: [{ unit: 'words', minCount: 2 }],
  },
);

export type VocabularyRules = Pick<Static<typeof givenTokensParameter>, 'maxVocabulary' | 'minCount'>;

export const tokenizerParameter = nullable(
  Type.String({
    minLength: 1,
    description:
      'A tokenizer.json of Hugging Face that splits the text instead of `tokens.unit`. The vocabulary still has only tokens of the training part.',
    examples: ['tokenizer.json'],
  }),
);

/** Settings that a tokenizer of one's own replaces. */
export const checkTokenizer = ({
  tokenizer,
  tokens,
}: {
  readonly tokenizer: string | null;
  readonly tokens: { readonly unit: Unit; readonly lowercase: boolean };
}): readonly ParameterIssue[] =>
  tokenizer === null || (tokens.unit === 'words' && !tokens.lowercase)
    ? []
    : [
        {
          path: tokens.lowercase ? 'tokens.lowercase' : 'tokens.unit',
          with: ['tokenizer'],
          message: `The tokenizer decides ${tokens.lowercase ? 'whether upper case counts' : 'what a token is'}.`,
          expected: `no ${tokens.lowercase ? 'lowercase' : 'unit'} beside tokenizer`,
          help: `Remove \`${tokens.lowercase ? 'lowercase' : 'unit'}\`, or remove \`tokenizer\`.`,
        },
      ];

/** Splits a text into tokens. */
export type Tokenize = (text: string) => readonly string[];

/**
 * Letters, marks and digits in a row, with an apostrophe inside ("don't"), or any single character that is no space. The
 * same rule as the word tokenizer of most labelling corpora, without their exceptions.
 */
const wordPattern = /[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}]+)*|[^\s]/gu;

/** As `wordPattern`, where the end of a line is a token. */
const streamPattern = new RegExp(`${wordPattern.source}|\\n`, 'gu');

const byteNames = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).padStart(2, '0').toUpperCase()}>`,
);

/** The Unicode code points of a text, each as a string. */
export const codePointsOf = (text: string): readonly string[] => Array.from(text);

/** How a text is split by each unit. */
export const tokenizers: Readonly<Record<Unit, Tokenize>> = {
  words: (text) => text.match(wordPattern) ?? [],
  characters: codePointsOf,
  bytes: (text) => Array.from(Buffer.from(text), (byte) => byteNames[byte] as string),
};

/** As `tokenizers`, for a text of many lines: among words the end of a line is a token, too. */
export const streamTokenizers: Readonly<Record<Unit, Tokenize>> = {
  ...tokenizers,
  words: (text) => text.match(streamPattern) ?? [],
};
