import { packageVersion } from '../system/package-root.ts';
import { renderBug } from './bug.ts';
import { masked, maskedWord } from '../system/secrets.ts';
import { runProgram } from './program.ts';
import { openTerminal } from './terminal.ts';
import { writeText } from '../terminal/output.ts';

// A reader that goes away (`unroll ls | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** The whole program: words in, exit code out. The only place that ends the process. */
try {
  const words = process.argv.slice(2);
  const terminal = openTerminal(words);
  // Every user of the machine can list processes with their arguments.
  if (words.some((word) => maskedWord(word) !== word)) process.title = terminal.commandLine;
  process.exitCode = await runProgram(words, terminal);
} catch (error) {
  writeText(process.stderr, masked(renderBug(error, packageVersion)));
  process.exitCode = 1;
}
// Handles that a library left open must not keep a finished command waiting.
const drained = (output: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => void output.write('', () => resolve()));
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit();
