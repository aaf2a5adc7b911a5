/** Where runs are recorded unless the command line names another folder. */
export const usualRunsDirectory = 'runs';

/** A word as it is typed in a shell, quoted where a shell would change it. */
export const shellWord = (word: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!invisible.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  const typed = JSON.stringify(word)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll("'", String.raw`\'`);
  return `$'${typed.replace(new RegExp(invisible, 'gu'), (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`;
};

/** Characters that cannot be typed, and that a terminal does not show. */
const invisible = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;

/**
 * A command that a message proposes, as it is typed. One that reads or writes runs gets their folder, which is part of
 * it unless it is the usual one.
 */
export const proposedCommand = (
  words: readonly string[],
  runsDirectory: string = usualRunsDirectory,
): string => {
  const folder = runsDirectory === usualRunsDirectory ? [] : ['--runs-directory', runsDirectory];
  return ['unroll', ...words, ...folder].map(shellWord).join(' ');
};
