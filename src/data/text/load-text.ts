import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { DataContext, Dataset, SequenceShape } from '../dataset.ts';
import type { DataInspection, PartDescription, PartName } from '../description.ts';
import { keptJson } from '../packed-folder.ts';
import type { TableFormat } from '../table/ensure-pack.ts';
import { inspectOpenTable, partsOf } from '../table/inspect-table.ts';
import { scaledTargets } from '../table/encoding.ts';
import { loadOpenTable, openTable, type OpenTable, type TablePart } from '../table/load-table.ts';
import type { Pack } from '../table/pack.ts';
import type { VocabularyRules } from './tokens.ts';
import { indicesIn, unknownToken, vocabularyOf, type Vocabulary } from './vocabulary.ts';

/** Raised whenever the same texts would give another vocabulary or other counts. */
const vocabularyVersion = 2;

/** What reading the tokens of all parts once finds; plain JSON, kept in the cache. */
interface KnownTokens {
  /** Of the training part. */
  readonly vocabulary: Vocabulary;
  readonly counts: { readonly [part in PartName]?: NonNullable<PartDescription['tokens']> };
}

/** Texts whose parts are drawn and whose vocabulary is known. */
interface OpenTexts extends OpenTable, KnownTokens {}

const openTexts = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<OpenTexts> => {
  const table = await openTable(format, context);
  const known = await keptTokens(table, rules);
  const shape: SequenceShape = {
    ...table.shape,
    input: { kind: 'tokens', vocabulary: known.vocabulary.length },
  };
  return { ...table, ...known, shape };
};

/** Kept in the cache, so that only the first run of all sweeps counts. */
const keptTokens = (table: OpenTable, rules: VocabularyRules): Promise<KnownTokens> => {
  const parts = partsOf(table);
  const drawn = parts.map(([name, { folder, members }]) => [
    name,
    basename(folder),
    createHash('sha256').update(members).digest('hex'),
  ]);
  const { maxVocabulary, minCount } = rules;
  const key = ['tokens', vocabularyVersion, drawn, maxVocabulary, minCount];
  return keptJson({ name: 'tokens.json', key }, () => {
    const { pack, members } = table.parts.train;
    const vocabulary = vocabularyOf(tokensOf(pack), countTokens(pack, members), rules);
    return {
      vocabulary,
      counts: Object.fromEntries(parts.map(([name, part]) => [name, tokensIn(part, vocabulary)])),
    };
  });
};

const tokensOf = ({ tokens }: Pack): readonly string[] => {
  if (!tokens) throw new Error('These sequences have no tokens.');
  return tokens;
};

/** How often each token of a pack is in some of its sequences. */
const countTokens = (pack: Pack, members: Int32Array): Float64Array => {
  const counts = new Float64Array(tokensOf(pack).length);
  pack.visit(members, (sequence, numbers, from) => {
    const end = from + pack.steps(sequence);
    for (let at = from; at < end; at++) {
      const token = numbers[at] as number;
      counts[token] = (counts[token] as number) + 1;
    }
  });
  return counts;
};

/** The shape of the texts; reads the files once, then they are in the cache. */
export const textShape = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<SequenceShape> => (await openTexts(format, rules, context)).shape;

/** The vocabulary of the training part. */
export const textVocabulary = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<Vocabulary> => (await openTexts(format, rules, context)).vocabulary;

/** Loads the parts. Tokens that the training part does not have are the unknown one. */
export const loadText = async (
  format: TableFormat,
  { tokens, tokenizer = null }: { readonly tokens: VocabularyRules; readonly tokenizer?: string | null },
  context: DataContext,
): Promise<Dataset> => {
  const { vocabulary, ...table } = await openTexts(format, tokens, context);
  return {
    ...loadOpenTable(table, (pack) => indicesIn(vocabulary, tokensOf(pack))),
    vocabulary,
    preprocessing: {
      kind: 'text',
      unknown: unknownToken,
      tokenizer: tokenizer !== null,
      targets: scaledTargets(format.settings, table.encoding),
    },
  };
};

/** Describes and checks the parts of a dataset of texts. */
export const inspectText = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<DataInspection> => {
  const { counts, ...table } = await openTexts(format, rules, context);
  const { description, warnings } = await inspectOpenTable(table, format.settings);
  const described = Object.entries(description.parts).map(([name, part]) => [
    name,
    { ...part, tokens: counts[name as PartName] },
  ]);
  return {
    description: { ...description, parts: Object.fromEntries(described) as typeof description.parts },
    warnings,
  };
};

/** How many tokens a part has, and how many of them the vocabulary does not. */
const tokensIn = (
  { pack, members }: TablePart,
  vocabulary: Vocabulary,
): NonNullable<PartDescription['tokens']> => {
  const counts = countTokens(pack, members);
  const indices = indicesIn(vocabulary, tokensOf(pack));
  const count = counts.reduce((sum, one) => sum + one, 0);
  const unknown = counts.reduce((sum, one, at) => (indices[at] === unknownToken ? sum + one : sum), 0);
  return { count, unknown };
};
