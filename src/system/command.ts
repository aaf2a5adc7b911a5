import { spawn } from 'node:child_process';

/** How a command ended, and what it printed. */
export interface CommandOutcome {
  /** The exit code; null when it could not be started, was killed, or ran out of time. */
  readonly code: number | null;
  readonly stdout: string;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** Runs a command without a shell. Never rejects; a command that is not there ends with code null. */
export const runCommand = (
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs?: number;
    /** Ends the command. */
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<CommandOutcome> =>
  new Promise((resolve) => {
    let stdout = '';
    let output = '';
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      signal: options.signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', (error) => resolve({ code: null, stdout, output: output + error.message }));
    child.on('close', (code) => resolve({ code, stdout, output }));
  });
