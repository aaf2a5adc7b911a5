/** Columns at which running text is broken where the width has no limit, as on a pipe. */
const usualWidth = 100;

/** The width at which running text is broken on a screen. */
export const textWidth = (width: number): number => (Number.isFinite(width) ? width : usualWidth);

/** Lines of a string at most `width` wide, broken between words. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
};
