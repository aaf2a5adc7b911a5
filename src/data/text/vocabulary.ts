import type { VocabularyRules } from './tokens.ts';

/** Index 0: what follows the end of a sequence in a batch. */
const padding = '<pad>';
/** Index 1: every token that the vocabulary does not have. */
const unknown = '<unk>';

export const unknownToken = 1;

/** The tokens of a dataset by index, the two special ones first. */
export type Vocabulary = readonly string[];

/**
 * The vocabulary of counted tokens, the most frequent first; equally frequent ones in the order of their UTF-16 code units.
 * `counts` must come from the training part alone.
 */
export const vocabularyOf = (
  texts: readonly string[],
  counts: ArrayLike<number>,
  { maxVocabulary, minCount }: VocabularyRules,
): Vocabulary => {
  const kept = texts
    .map((text, at) => ({ text, count: counts[at] as number }))
    .filter(({ text, count }) => count >= minCount && text !== padding && text !== unknown)
    .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
    .slice(0, maxVocabulary ?? Infinity);
  return [padding, unknown, ...kept.map(({ text }) => text)];
};

/** The index in a vocabulary of each of some tokens. */
export const indicesIn = (vocabulary: Vocabulary, texts: readonly string[]): Int32Array => {
  const known = new Map(vocabulary.map((text, at) => [text, at]));
  return Int32Array.from(texts, (text) => known.get(text) ?? unknownToken);
};
