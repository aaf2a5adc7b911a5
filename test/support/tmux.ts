import { execFileSync, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

/** A machine without tmux may skip tests in a real terminal; continuous integration must have it. */
export const noTerminal = spawnSync('tmux', ['-V']).status !== 0 && process.env['CI'] !== 'true';

if (noTerminal) process.stderr.write('Tests in a real terminal are skipped: tmux is not on the PATH.\n');

/** Runs tmux on a server of its own for a session: one that all share ends with its last session, just as the next begins. */
const tmuxOf =
  (session: string) =>
  (...words: readonly string[]) =>
    execFileSync('tmux', ['-L', `unroll-${process.pid}-${session}`, ...words], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });

/** A shell's command in a real terminal of its own, which is gone after the test. */
export const openRealTerminal = (
  command: string,
  {
    name,
    width = 100,
    height = 30,
  }: { readonly name: string; readonly width?: number; readonly height?: number },
) => {
  const tmux = tmuxOf(name);
  const size = ['-x', String(width), '-y', String(height)];
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', name, ...size, command);
  onTestFinished(() => {
    tmux('kill-session', '-t', name);
  });
  const screen = () => tmux('capture-pane', '-p', '-t', name).trimEnd();
  return {
    /** Types text as it is. */
    press: (keys: string) => tmux('send-keys', '-t', name, '-l', keys),
    /** Presses a key by its name, such as Enter, Tab or C-u. */
    key: (key: string) => tmux('send-keys', '-t', name, key),
    resize: (to: number) => tmux('resize-window', '-t', name, '-x', String(to), '-y', String(height)),
    screen,
    history: () => tmux('capture-pane', '-p', '-S', '-', '-t', name).trimEnd(),
    cursorVisible: () => tmux('display-message', '-p', '-t', name, '#{cursor_flag}').trim() === '1',
    /** Waits until the screen is as expected, and returns it. */
    until: (expected: (text: string) => boolean): Promise<string> =>
      until(() => {
        const text = screen();
        return expected(text) ? text : undefined;
      }, screen),
  };
};
