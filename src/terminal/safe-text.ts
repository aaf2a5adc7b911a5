/**
 * What moves a cursor, starts an escape sequence, reorders or hides text: C0 (without tab and newline), DEL, C1, marks and
 * controls of direction, line and paragraph separators, characters without width or a picture, tags, halves of surrogate
 * pairs, and joiners where they join nothing. For patterns with the flag `u`.
 */
export const unsafePattern =
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f' +
  '\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\p{Cs}' +
  '\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e00ff}]' +
  // Emoji, Arabic and the scripts of India need joiners.
  '|(?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Lo}\\p{M}])[\\u200c\\u200d]';

let unsafe: RegExp | undefined;

/** Made when it is needed first, because compiling its classes of characters takes milliseconds. */
const unsafeInLine = (): RegExp => (unsafe ??= new RegExp(`[\\t\\n]|${unsafePattern}`, 'gu'));

/** Whether a string has only printable ASCII characters, tabs and line breaks, none of which is unsafe. */
export const isPlain = (text: string): boolean => /^[\t\n\x20-\x7e]*$/.test(text);

/** The same for one line, in which tabs and line breaks are shown. */
export const isPlainLine = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** How a character that must not reach a terminal is shown: as JSON writes it, so that JSON stays the same data. */
export const escaped = (character: string): string =>
  short[character] ??
  Array.from(
    { length: character.length },
    (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
  ).join('');

/** Foreign text for a place within a line: its own line breaks and tabs are shown as `\n` and `\t`. */
export const safeLine = (text: string): string =>
  isPlainLine(text) ? text : text.replace(unsafeInLine(), escaped);

/** Source text with each of its UTF-16 units at the place that it has: every unsafe character is one visible one. */
export const safeSource = (text: string): string =>
  text.replace(/\t/g, ' ').replace(unsafeInLine(), (found) => '\u00b7'.repeat(found.length));
