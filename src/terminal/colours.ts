import { randomInt } from 'node:crypto';
import pc from 'picocolors';
import { escaped, isPlain, isPlainLine, unsafePattern } from './safe-text.ts';

/**
 * Our colours carry a number that nobody outside of this process knows, as further parameters of the sequence. So
 * `forTerminal` can keep them and take every other escape sequence for foreign text. Their width is measured as nothing,
 * as that of any colour.
 */
let drawn: string | undefined;

/** Drawn when it is needed first: most commands print no colour. */
const signature = (): string => (drawn ??= [0, 0, 0].map(() => String(randomInt(1000, 10_000))).join(';'));

const sequence = (code: number): string => `\u001b[${code};${signature()}m`;

const painter =
  (open: number, close: number) =>
  (text: string): string =>
    // What is painted inside ends with the same code, after which this colour resumes.
    `${sequence(open)}${text.replaceAll(sequence(close), `${sequence(close)}${sequence(open)}`)}${sequence(close)}`;

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

export type Colours = Readonly<Record<keyof typeof codes, (text: string) => string>>;

/** Whether colour is allowed in this process (`NO_COLOR`, `FORCE_COLOR`, a terminal or a CI job). */
export const isColorSupported =
  pc.isColorSupported && !['0', 'false'].includes(process.env['FORCE_COLOR'] ?? '');

/** Functions that paint text, or return it as it is where colour is not wanted. */
export const createColours = (colour: boolean = isColorSupported): Colours =>
  Object.fromEntries(
    Object.entries(codes).map(([name, [open, close]]) => [
      name,
      colour ? painter(open, close) : (text: string) => text,
    ]),
  ) as Colours;

let patterns: Readonly<Record<'ownOrUnsafe' | 'ownOrUnsafeInLine' | 'own', RegExp>> | undefined;

/** Made when they are needed first, because compiling their classes of characters takes milliseconds. */
const pattern = (name: keyof NonNullable<typeof patterns>): RegExp =>
  (patterns ??= {
    ownOrUnsafe: new RegExp(`\\u001b\\[(\\d+);${signature()}m|\\r\\n|${unsafePattern}`, 'gu'),
    ownOrUnsafeInLine: new RegExp(`\\u001b\\[\\d+;${signature()}m|[\\t\\n]|${unsafePattern}`, 'gu'),
    own: new RegExp(`(\\u001b\\[\\d+;${signature()}m)`),
  })[name];

/** Text as a terminal may get it: our colours as colours, or without them; nothing else can drive the terminal. */
export const forTerminal = (text: string, colour: boolean): string =>
  isPlain(text)
    ? text
    : text.replace(pattern('ownOrUnsafe'), (found: string, code: string | undefined) => {
        if (code !== undefined) return colour ? `\u001b[${code}m` : '';
        return found === '\r\n' ? '\n' : escaped(found);
      });

/** One line of text that may be painted: our colours stay, foreign characters are shown. */
export const safePainted = (text: string): string =>
  isPlainLine(text)
    ? text
    : text.replace(pattern('ownOrUnsafeInLine'), (found) => (isColour(found) ? found : escaped(found)));

/** Painted text in parts that are one of our colour sequences, or have none. */
export const splitAtColours = (text: string): string[] =>
  isPlain(text) ? [text] : text.split(pattern('own'));

export const isColour = (part: string): boolean => !isPlain(part) && pattern('own').test(part);
