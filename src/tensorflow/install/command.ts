import { rewriteLine, writeText } from '../../terminal/output.ts';
import { installationWarning, setUp } from './main.ts';
import { standardSetup } from './setup-request.ts';

/**
 * `unroll setup`, and the last step of `npm run setup`: makes native TensorFlow ready and prints on standard error what
 * it does. Returns the exit code: 0 also when WebAssembly has to do, because Unroll then works, slowly. `retry` tries
 * again what an earlier set-up gave up within the last hour.
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
