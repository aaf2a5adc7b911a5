import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * Node's options for a command that records runs of workers. With `dieAt` it is killed right before the n-th call that
 * puts files of a run into their place; `isDone` is then false once it was not killed. Without, it waits at the first call
 * until it is released.
 */
export const holdCommit = (dieAt?: number) => {
  const folder = temporaryDirectory();
  const [script, held, released] = ['hold.cjs', 'held', 'released'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(
    script,
    `const fs = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');
let calls = 0;
for (const name of ['rename', 'rm']) {
  const call = fs.promises[name];
  fs.promises[name] = async (path, ...more) => {
    // Of a run, and not of its experiment's other files.
    if (/(^|[/\\\\])runs[/\\\\]trial[/\\\\](\\.unpacking-)?[0-9a-f]{12}/.test(String(path))) {
      calls++;
      if (calls === ${dieAt ?? 1}) {
        fs.writeFileSync(${JSON.stringify(held)}, name + ' ' + path);
        if (${dieAt !== undefined}) process.kill(process.pid, 'SIGKILL');
        while (!fs.existsSync(${JSON.stringify(released)})) await delay(20);
      }
    }
    return call(path, ...more);
  };
}
require('node:module').syncBuiltinESMExports();
`,
  );
  return {
    environment: { NODE_OPTIONS: `--require ${script}` },
    isHeld: () => existsSync(held),
    release: () => writeFileSync(released, ''),
  };
};
