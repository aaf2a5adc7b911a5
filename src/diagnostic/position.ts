/** The starts of all lines, of the text that was asked about last: many places of one file are asked about in a row. */
let indexed: { readonly text: string; readonly starts: readonly number[] } = { text: '', starts: [0] };

const lineStarts = (text: string): readonly number[] => {
  if (indexed.text === text) return indexed.starts;
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  indexed = { text, starts };
  return starts;
};

/** Line and column of an offset, both counted from 1 (columns in UTF-16 units, as editors do). */
export const positionOf = (
  text: string,
  offset: number,
): { line: number; column: number; lineStart: number } => {
  const at = Math.max(0, Math.min(offset, text.length));
  const starts = lineStarts(text);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const lineStart = starts[low] ?? 0;
  return { line: low + 1, column: at - lineStart + 1, lineStart };
};
