/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Where it begins in the page, counted from 1. */
  readonly line: number;
}

/** The fenced blocks of a page of Markdown, in their order. */
export const blocksOf = (page: string): readonly Block[] => {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [at, line] of page.split('\n').entries()) {
    const fence = /^```(\w*)/.exec(line);
    if (!open && fence) open = { language: fence[1] ?? '', line: at + 1, lines: [] };
    else if (open && line === '```') {
      blocks.push({ language: open.language, line: open.line, text: open.lines.join('\n') });
      open = undefined;
    } else open?.lines.push(line);
  }
  return blocks;
};
