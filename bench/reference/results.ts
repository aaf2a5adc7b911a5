import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { packageRoot } from '../../src/system/package-root.ts';

/** The lines of a file of results; none where there is no file. */
export const readLines = <Result>(file: string): Result[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Result)
    : [];

/** What a command prints; it must succeed. */
export const execute = (command: string, words: readonly string[]): string => {
  const { status, stdout } = spawnSync(command, words, {
    cwd: packageRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${String(status)}.`);
  return stdout;
};
