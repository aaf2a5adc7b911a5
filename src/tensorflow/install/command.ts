import { rewriteLine, writeText } from '../../terminal/output.ts';
import { installationWarning, setUp } from './main.ts';
import { standardSetup } from './setup-request.ts';

/**
 * `unroll setup`, and the last step of `npm run setup`: makes native TensorFlow ready and prints its steps on standard
 * error. Returns the exit code: 0 also for WebAssembly, because Unroll then works, slowly. `retry` repeats steps that
 * failed within the last hour.
 */
export const setUpCommand = async (retry = true): Promise<number> => {
  const isTerminal = process.stderr.isTTY;
  const write = (text: string) => {
    // A rewritten line starts with the codes that clear it.
    const [, clear = '', rest = ''] = /^(\r\x1b\[2K)?([^]*)$/.exec(text) ?? [];
    const line = rest === '' || rest.startsWith('\n') ? rest : `setup: ${rest}`;
    if (clear) rewriteLine(process.stderr, line);
    else writeText(process.stderr, line);
  };
  const installation = await setUp(standardSetup({ sink: { write, isTerminal }, retry }));
  const warning = installationWarning(installation);
  if (warning !== undefined) write(`${warning}\n`);
  return 0;
};
