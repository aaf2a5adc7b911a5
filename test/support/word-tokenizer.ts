/** The content of a `tokenizer.json` that splits at white space and knows some words; index 0 is the unknown one. */
export const wordTokenizer = (words: readonly string[], normalizer: object | null = null): string =>
  JSON.stringify({
    ...{ version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer },
    ...{ pre_tokenizer: { type: 'Whitespace' }, post_processor: null, decoder: null },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(['[UNK]', ...words].map((word, at) => [word, at])),
      unk_token: '[UNK]',
    },
  });
