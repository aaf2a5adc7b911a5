import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { DataContext, Dataset, SequenceShape } from '../dataset.ts';
import { partNames, type PartDescription } from '../description.ts';
import type { DataInspection } from '../inspect.ts';
import { keptJson } from '../packed-folder.ts';
import type { TableFormat } from '../table/ensure-pack.ts';
import { packExamples } from '../table/examples.ts';
import { inspectTable } from '../table/inspect-table.ts';
import { openTable, type OpenTable, type TablePart } from '../table/load-table.ts';
import type { Pack } from '../table/pack.ts';
import type { VocabularyRules } from './tokens.ts';
import { indicesIn, unknownToken, vocabularyOf, type Vocabulary } from './vocabulary.ts';

/** Raised whenever the same texts would give another vocabulary. */
const vocabularyVersion = 1;

/** Texts whose parts are drawn and whose vocabulary is known. */
interface OpenTexts extends OpenTable {
  readonly vocabulary: Vocabulary;
}

const openTexts = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<OpenTexts> => {
  const { shape, encoding, parts } = await openTable(format, context);
  const vocabulary = await keptVocabulary(parts.train, rules);
  return {
    parts,
    encoding,
    vocabulary,
    shape: { ...shape, input: { kind: 'tokens', vocabulary: vocabulary.length } },
  };
};

/** The vocabulary of the training part. Kept in the cache, so that only the first run of all sweeps counts. */
const keptVocabulary = (
  { folder, pack, members }: TablePart,
  rules: VocabularyRules,
): Promise<Vocabulary> => {
  const drawn = createHash('sha256').update(members).digest('hex');
  const key = ['vocabulary', vocabularyVersion, basename(folder), drawn, rules];
  return keptJson({ name: 'vocabulary.json', key }, () =>
    vocabularyOf(tokensOf(pack), countTokens(pack, members), rules),
  );
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

/** Loads the parts. Tokens that the training part does not have are the unknown one. */
export const loadText = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<Dataset> => {
  const { shape, encoding, parts, vocabulary } = await openTexts(format, rules, context);
  const examplesOf = new Map<Pack, ReturnType<typeof packExamples>>();
  const split = ({ pack, members }: TablePart) => {
    const examples =
      examplesOf.get(pack) ??
      packExamples(pack, { shape, encoding, tokenIndices: indicesIn(vocabulary, tokensOf(pack)) });
    examplesOf.set(pack, examples);
    return examples(members);
  };
  const { train, validation, test } = parts;
  return {
    shape,
    vocabulary,
    train: split(train),
    ...(validation && { validation: split(validation) }),
    test: split(test),
  };
};

/** Describes and checks the parts of a dataset of texts. */
export const inspectText = async (
  format: TableFormat,
  rules: VocabularyRules,
  context: DataContext,
): Promise<DataInspection> => {
  const { parts, vocabulary, shape } = await openTexts(format, rules, context);
  const { description, warnings } = await inspectTable(format, context);
  const described = partNames.flatMap((name) => {
    const part = parts[name];
    const found = description.parts[name];
    return part && found ? [[name, { ...found, tokens: tokensIn(part, vocabulary) }] as const] : [];
  });
  return {
    description: {
      ...description,
      inputs: { kind: 'tokens', vocabulary: shape.input.kind === 'tokens' ? shape.input.vocabulary : 0 },
      parts: Object.fromEntries(described),
    },
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
