/** Matches a text that may contain an integer beyond 2^53: 16 digits that are no decimals. */
const mayHaveLong = /(?:^|[^.\d])\d{16}/;

const stringsAndNumbers = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * The value of a JSON text, with whole numbers beyond 2^53 as strings of their digits: `JSON.parse` rounds them, so that ids
 * that differ become the same. `parsed` is what `JSON.parse` makes of it, whose `SyntaxError` this throws, too.
 */
export const parseExactly = <T = unknown>(text: string, parsed = JSON.parse(text) as T): T => {
  if (!mayHaveLong.test(text)) return parsed;
  const exact = text.replace(stringsAndNumbers, (token) => (isRounded(token) ? `"${token}"` : token));
  return JSON.parse(exact) as T;
};

const isRounded = (token: string): boolean =>
  /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
