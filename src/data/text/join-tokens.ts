/** Appends tokens to text, with the spaces that a writer would put between them. */
export const joinTokens = (before: string, tokens: readonly string[], unit: string): string => {
  switch (unit) {
    case 'characters':
      return before + tokens.join('');
    case 'bytes':
      return before + Buffer.from(tokens.map((token) => Number.parseInt(token.slice(3, 5), 16))).toString();
    case 'tokenizer':
      return tokens.some((token) => /^[▁Ġ]/u.test(token))
        ? before + tokens.join('').replaceAll(/[▁Ġ]/gu, ' ').replaceAll('Ċ', '\n')
        : joinWords(before, tokens).replaceAll(' ##', '');
    default:
      return joinWords(before, tokens);
  }
};

/** Words with a space before each, but not before punctuation, after an opening bracket or around the end of a line. */
const joinWords = (before: string, tokens: readonly string[]): string =>
  tokens.reduce(
    (text, token) =>
      /^[.,;:!?)\]}'’…\n]/u.test(token) || text === '' || /[\s([{]$/u.test(text)
        ? text + token
        : `${text} ${token}`,
    before,
  );
