// Validates the specs that INPUTS names, one after another in this process, and prints their answers as JSON.
import { readFileSync } from 'node:fs';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

/** What `unroll validate` returns and prints. */
export interface Answer {
  readonly code: number;
  readonly output: string;
}

const inputs = JSON.parse(readFileSync(process.env['INPUTS'] ?? '', 'utf8')) as Record<string, string[]>;
const answers: Record<string, Answer> = {};
for (const [name, options] of Object.entries(inputs)) {
  // The last of these lines names the input that ends this process or does not end itself.
  process.stderr.write(`${name}\n`);
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const words = ['validate', ...options];
  const code = await runProgram(words, openTerminal(words, { print: keep, complain: keep }));
  answers[name] = { code, output: lines.join('\n') };
}
process.stdout.write(JSON.stringify(answers));
