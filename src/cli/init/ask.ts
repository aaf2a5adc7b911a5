import { createInterface } from 'node:readline/promises';
import { forTerminal } from '../../terminal/colours.ts';
import { writeText } from '../../terminal/output.ts';
import { nearest } from '../../diagnostic/nearest.ts';

/** A question on the terminal. `undefined` once the user ends the input. */
export type Ask = (question: {
  readonly text: string;
  readonly preset: string;
  /** The answers that are possible; any text if there are none. */
  readonly names?: readonly string[];
}) => Promise<string | undefined>;

/** Asks on the process' own terminal, again as long as the answer is none of the names. */
export const withQuestions = async <T>(work: (ask: Ask) => Promise<T>): Promise<T> => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.on('SIGINT', () => terminal.close());
  try {
    return await work(async ({ text, preset, names }) => {
      for (;;) {
        if (names) writeText(process.stdout, `${names.join(', ')}\n`);
        const written = await Promise.race([
          terminal.question(forTerminal(`${text} (${preset}): `, false)),
          ended,
        ]);
        if (written === undefined) return undefined;
        const answer = written.trim() || preset;
        if (!names || names.includes(answer)) return answer;
        const near = nearest(answer, names);
        writeText(
          process.stdout,
          `There is no "${answer}".${near === undefined ? '' : ` Did you mean ${near}?`}\n`,
        );
      }
    });
  } finally {
    terminal.close();
  }
};
