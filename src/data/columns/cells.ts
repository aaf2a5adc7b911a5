/** Whether a number is finite for a network, too, which computes with 32 bits. */
const isFiniteHere = (value: number): boolean => Number.isFinite(Math.fround(value));

/** A number from a cell: a finite one, as JSON number or as decimal text; 0 and 1 of false and true; else NaN. */
export const numberIn = (cell: unknown): number => {
  if (typeof cell === 'string') {
    const value = Number(cell);
    // An empty text is 0 to `Number`, and nothing to us.
    return isFiniteHere(value) && (value !== 0 || cell.trim() !== '') ? value : Number.NaN;
  }
  if (typeof cell === 'bigint' || typeof cell === 'boolean') return numberIn(Number(cell));
  return typeof cell === 'number' && isFiniteHere(cell) ? cell : Number.NaN;
};

/** A number from a cell whose text has a comma before the decimals, as in 3,14; else NaN. */
export const numberWithCommaIn = (cell: unknown): number => {
  if (typeof cell !== 'string') return numberIn(cell);
  return cell.includes('.') ? Number.NaN : numberIn(cell.replace(',', '.'));
};

/** Whether a cell holds an infinite number, or one that is too large. */
export const isInfinite = (cell: unknown): boolean => {
  if (typeof cell === 'number' || typeof cell === 'bigint')
    return Math.abs(Math.fround(Number(cell))) === Infinity;
  if (typeof cell !== 'string') return false;
  const text = cell.trim();
  return Math.abs(Math.fround(Number(text))) === Infinity || /^[+-]?(inf|infinity|∞)$/i.test(text);
};

/** Whether a cell is a number once the comma in it is taken as the one before the decimals. */
export const hasDecimalComma = (cell: unknown): boolean =>
  typeof cell === 'string' && /^\s*[+-]?\d*,\d+\s*$/.test(cell);

/** Digits in groups of three behind one and the same mark, then perhaps another mark with the decimals. */
const grouped = /^([+-]?\d{1,3}([,.' \u00a0\u202f])\d{3}(?:\2\d{3})*)(?:(?!\2)[,.](\d+))?$/;

/** The number of a cell whose thousands are apart, as in 1,234.5; else NaN. */
export const numberInGroups = (cell: unknown): number => {
  const [, whole, mark, decimals = '0'] = (typeof cell === 'string' && grouped.exec(cell.trim())) || [];
  return whole === undefined || mark === undefined
    ? Number.NaN
    : numberIn(`${whole.replaceAll(mark, '')}.${decimals}`);
};

/** What a cell that is no number may mean, as the end of a message: ` (looks like 1234 or 1.234)`. */
export const likeness = (cell: unknown): string => {
  const readings = [numberInGroups(cell), numberIn(cell), numberWithCommaIn(cell)];
  const numbers = [...new Set(readings)].filter((number) => !Number.isNaN(number));
  return numbers.length === 0 ? '' : ` (looks like ${numbers.join(' or ')})`;
};

/** The help for numbers whose thousands are apart. */
export const withoutGroups =
  'Write numbers without marks between thousands, such as 1234. Only where the comma is the one before the decimals, write `decimal: ","` in dataset.';

/** A name or label from a cell, without spaces around it; empty where there is none. */
export const textIn = (cell: unknown): string => {
  if (typeof cell === 'string') return cell.trim();
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? '' : cell.toISOString();
  const isPlain = typeof cell === 'number' || typeof cell === 'boolean' || typeof cell === 'bigint';
  return isPlain ? String(cell) : '';
};

/** How a cell is shown in a message. */
export const shown = (cell: unknown): string => {
  if (cell === undefined) return 'nothing';
  const isPlain = typeof cell === 'bigint' || typeof cell === 'number';
  const text = isPlain ? String(cell) : written(cell);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
};

const written = (cell: unknown): string => {
  try {
    return JSON.stringify(cell);
  } catch (error) {
    // Lists within lists, thousands deep.
    if (error instanceof RangeError) return Array.isArray(cell) ? '[[[...' : '{...';
    throw error;
  }
};
