import { nearest } from '../../diagnostic/nearest.ts';
import type { Execute } from '../command.ts';
import { shells } from '../completion/complete.ts';
import { completionScripts } from '../completion/scripts.ts';
import { commandLineRange } from '../usage.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** `unroll completion SHELL` */
export const execute: Execute = (words, _options, terminal) => {
  const [written = ''] = words;
  const shell = shells.find((one) => one === written);
  if (shell) {
    terminal.print(completionScripts[shell]);
    return Promise.resolve(0);
  }
  const near = nearest(written, shells);
  terminal.report([
    {
      code: 'bad-argument',
      severity: 'error',
      message: `There is no completion for "${written}".`,
      at: commandLineRange(['completion', written], written),
      expected: shells.join(', '),
      ...(near !== undefined && { nearest: near }),
      help: `Write for example: ${proposedCommand(['completion', 'bash'])} >> ~/.bashrc`,
    },
  ]);
  return Promise.resolve(2);
};
