import { widthOf } from './width.ts';
import { isColour, safePainted, splitAtColours } from './colours.ts';
import { wrap } from './wrap.ts';
import { safeLine } from './safe-text.ts';
import { shortenApart } from './shorten.ts';

/** A column of a text table. */
export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Columns with the lowest rank go first where the table is too wide. Infinity: never goes. */
  readonly keep: number;
}

/** A cell's text; `paint` colours it after it is aligned, so that colours take no room. */
export interface TableCell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const gap = '  ';

/** Cuts foreign text to a width of one line, with an ellipsis. */
export const fit = (foreign: string, width: number): string => {
  // Wider text would only be cut, character by character.
  const text = safePainted(foreign.slice(0, 1000 + 20 * Math.max(1, width)));
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let cut = '';
  let room = width - 1;
  for (const part of splitAtColours(text)) {
    // Every colour stays, so that none goes on behind the cut.
    if (isColour(part)) cut += part;
    else if (room >= 0) {
      for (const { segment } of new Intl.Segmenter().segment(part)) {
        room -= widthOf(segment);
        if (room < 0) {
          cut += '…';
          break;
        }
        cut += segment;
      }
    }
  }
  return cut;
};

/** Fills a string with spaces to a width. */
export const pad = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + space : space + text;
};

export interface TableOptions {
  readonly width: number;
  /** Colours the titles; null for a table without titles. */
  readonly title?: ((text: string) => string) | null;
  /** For a table that is drawn again and again, with no line about columns that do not fit. */
  readonly silent?: boolean;
}

/**
 * A table as lines at most `width` wide, the titles first. Where it is too wide, columns go by rank; where even the
 * rest is too wide, the widest columns are cut, so that different texts of a column and different titles stay different.
 * The last lines name the columns that are missing.
 */
export const renderTable = (
  written: readonly Column[],
  cells: readonly (readonly TableCell[])[],
  { width, title = (text) => text, silent = false }: TableOptions,
): string[] => {
  const columns = written.map((column) => ({ ...column, title: safeLine(column.title) }));
  const rows = cells.map((row) => row.map((cell) => ({ ...cell, text: safeLine(cell.text) })));
  const widths = columns.map((column, at) =>
    rows.reduce(
      (widest, row) => Math.max(widest, widthOf(row[at]?.text ?? '')),
      title ? widthOf(column.title) : 0,
    ),
  );
  let shown = columns
    .map((_, at) => at)
    .filter((at) => rows.length === 0 || rows.some((row) => row[at]?.text));
  const filled = shown;
  const total = () =>
    shown.reduce((sum, at) => sum + (widths[at] ?? 0), gap.length * Math.max(0, shown.length - 1));
  while (total() > width) {
    const least = Math.min(...shown.map((at) => columns[at]?.keep ?? Infinity));
    if (least === Infinity) break;
    shown = shown.filter((at) => at !== shown.findLast((one) => columns[one]?.keep === least));
  }
  while (total() > width) {
    const widest = shown.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
    if ((widths[widest] ?? 0) <= 4) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }

  const fitted = shown.map((at) => {
    const texts = rows.map((row) => row[at]?.text ?? '');
    return shortenApart(
      texts,
      texts.map(() => widths[at] ?? 0),
      { measure: widthOf },
    );
  });
  const line = (textAt: (place: number) => string, paintAt: (at: number) => TableCell['paint']) =>
    shown
      .map((at, place) => {
        const text = textAt(place);
        const align = columns[at]?.align ?? 'left';
        const last = place === shown.length - 1 && align === 'left';
        const aligned = last ? text : pad(text, widths[at] ?? 0, align);
        return paintAt(at)?.(aligned) ?? aligned;
      })
      .join(gap)
      .trimEnd();
  const fittedTitles = shortenApart(
    shown.map((at) => columns[at]?.title ?? ''),
    shown.map((at) => widths[at] ?? 0),
    { measure: widthOf },
  );
  const titles = title
    ? [
        line(
          (place) => fittedTitles[place] ?? '',
          () => title,
        ),
      ]
    : [];
  const missing = filled.filter((at) => !shown.includes(at)).map((at) => columns[at]?.title ?? '');
  const note =
    missing.length > 0 && !silent
      ? wrap(`Too narrow for ${missing.join(', ')}: widen the terminal.`, width).map((line) =>
          fit(line, width),
        )
      : [];
  const body = rows.map((row, at) =>
    line(
      (place) => fitted[place]?.[at] ?? '',
      (column) => row[column]?.paint,
    ),
  );
  return [...titles, ...body, ...note];
};
