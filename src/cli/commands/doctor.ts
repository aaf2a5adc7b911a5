import { diagnose, renderDoctor } from '../../tensorflow/doctor.ts';
import type { Execute } from '../command.ts';

interface Options {
  readonly json?: boolean | undefined;
}

/** `unroll doctor` */
export const execute: Execute<Options> = async (_words, options, terminal) => {
  const report = await diagnose();
  terminal.print(options.json ? JSON.stringify(report, null, 2) : renderDoctor(report));
  return report.problems.length === 0 ? 0 : 1;
};
