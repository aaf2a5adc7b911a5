/** Line and column of an offset, both counted from 1 (columns in UTF-16 units, as editors do). */
export const positionOf = (
  text: string,
  offset: number,
): { line: number; column: number; lineStart: number } => {
  const at = Math.max(0, Math.min(offset, text.length));
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', end + 1)) {
    line++;
    lineStart = end + 1;
  }
  return { line, column: at - lineStart + 1, lineStart };
};
