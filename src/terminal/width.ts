import { createRequire } from 'node:module';

/**
 * What takes one column a character: printable Latin, Greek and Cyrillic, and what tables and progress bars are drawn with.
 * Colours are removed before it is asked.
 */
const oneColumnEach = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u0481\u2010-\u2027\u2500-\u259f]*$/;

/** The sequences that set colours. */
const colours = /\x1b\[[\d;]*m/g;

/** `string-width` makes a segmenter and large patterns when it loads: half the time in which a short command starts. */
let measure: ((text: string) => number) | undefined;

/** The number of terminal columns of a string, without its colour codes. */
export const widthOf = (text: string): number => {
  const plain = text.replace(colours, '');
  if (oneColumnEach.test(plain)) return plain.length;
  measure ??= (createRequire(import.meta.url)('string-width') as { default: (text: string) => number })
    .default;
  return measure(plain);
};
