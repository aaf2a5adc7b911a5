import { wrongFile, type DataFile } from '../files.ts';
import { textOf } from '../table/text.ts';
import { codePointsOf } from './tokens.ts';
import type { StreamFormat, StreamParameters } from './stream.ts';

/** Raised whenever the same text would make other tokens. */
const tokensVersion = 2;

const byCodePoint = (a: string, b: string) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);

/** Splits a file into Unicode code points, all of which are in the vocabulary, in their order. */
export const characterStream = (chosen: StreamParameters): StreamFormat => ({
  chosen,
  key: ['characters', tokensVersion],
  split: charactersOf,
  unit: 'character',
  vocabularyOf: (texts) => [...texts].sort(byCodePoint),
  indicesIn: (vocabulary, texts) => {
    const places = new Map(vocabulary.map((text, at) => [text, at]));
    return Int32Array.from(texts, (text) => places.get(text) ?? 0);
  },
});

const mostCharacters = 65_536;

const charactersOf = async function* (file: DataFile): AsyncGenerator<readonly string[]> {
  const seen = new Set<string>();
  for await (const chunk of textOf(file)) {
    const characters = codePointsOf(chunk);
    for (const character of characters) seen.add(character);
    if (seen.size > mostCharacters) {
      throw wrongFile(file, `has more than ${mostCharacters} different characters. Is it a text file?`, {
        expected: 'a text file with at most that many different characters',
        help: 'Name another file, or take rare characters out of it.',
      });
    }
    yield characters;
  }
};
