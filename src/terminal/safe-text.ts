/**
 * What moves a cursor, starts an escape sequence, reorders or hides text: C0 (without tab and newline), DEL, C1, marks and
 * controls of direction, line and paragraph separators, and characters without width.
 */
const unsafe =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb';

/** A class of characters, for patterns that know more. */
export const unsafeClass = `[${unsafe}]`;

const unsafeInLine = new RegExp(`[\\t\\n${unsafe}]`, 'g');

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** How a character that must not reach a terminal is shown: as JSON writes it, so that JSON stays the same data. */
export const escaped = (character: string): string =>
  short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Foreign text for a place within a line: its own line breaks and tabs are shown as `\n` and `\t`. */
export const safeLine = (text: string): string => text.replace(unsafeInLine, escaped);

/** Source text with each of its UTF-16 units at the place that it has: every unsafe character is one visible one. */
export const safeSource = (text: string): string => text.replace(/\t/g, ' ').replace(unsafeInLine, '\u00b7');
