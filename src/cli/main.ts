import { packageVersion } from '../system/package-root.ts';
import { renderBug } from './bug.ts';
import { faultOf } from './fault.ts';
import { masked, maskedWord } from '../system/secrets.ts';
import { runProgram } from './program.ts';
import { openTerminal } from './terminal.ts';
import { writeText } from '../terminal/output.ts';

const words = process.argv.slice(2);
const terminal = openTerminal(words);

/** Reports an error that nothing else has handled, and returns the exit code. */
const reportUnhandled = (error: unknown): number => {
  const fault = faultOf(error);
  if (fault) terminal.report([fault.diagnostic], { json: words.includes('--json') });
  else writeText(process.stderr, masked(renderBug(error, packageVersion)));
  return fault?.exitCode ?? 1;
};

// A reader that exits early (`unroll ls | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw Object.assign(error, { path: 'the standard output' });
});
// No reader is left for a message.
process.stderr.on('error', () => undefined);
// A child process notices that this one is gone, and ends its run with a checkpoint.
process.on('uncaughtException', (error) => process.exit(reportUnhandled(error)));

/** The whole program: words in, exit code out. The only place that ends the process. */
try {
  // Every user of the machine can list processes with their arguments.
  if (words.some((word) => maskedWord(word) !== word)) process.title = terminal.commandLine;
  process.exitCode = await runProgram(words, terminal);
} catch (error) {
  process.exitCode = reportUnhandled(error);
}
// Handles that a library left open must not keep a finished command waiting.
const drained = (output: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => void output.write('', () => resolve()));
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit();
