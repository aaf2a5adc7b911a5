/** Where runs are recorded unless the command line names another folder. */
export const usualRunsDirectory = 'runs';

/** A word as it is typed in a shell, quoted where a shell would change it. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A command that a message proposes, as it is typed: with the folder of the runs unless it is the usual one. */
export const proposedCommand = (words: readonly string[], runsDirectory: string): string => {
  const folder = runsDirectory === usualRunsDirectory ? [] : ['--runs-directory', runsDirectory];
  return ['unroll', ...words, ...folder].map(shellWord).join(' ');
};
