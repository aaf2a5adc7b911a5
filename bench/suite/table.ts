/** A table in Markdown. */
export const tableOf = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** A ratio in two digits, or in as many as show that it is above its goal. */
export const shortRatio = (ratio: number, goal: number): string => {
  const short = ratio.toFixed(2);
  return ratio > goal && Number(short) <= goal ? ratio.toFixed(4) : short;
};
