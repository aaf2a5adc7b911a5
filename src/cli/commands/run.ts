import { plannedDataLines } from '../../report/data-fields.ts';
import type { Execute } from '../command.ts';
import { printPlan } from '../print-plan.ts';
import { planSpec } from '../plan-spec.ts';
import type { GivenSpecOptions } from '../spec-options.ts';
import { trainPlan, type TrainOptions } from '../train-plan.ts';

interface Options extends TrainOptions, GivenSpecOptions {
  readonly dryRun?: boolean | undefined;
}

/** `unroll run SPEC` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const planned = await planSpec(words[0] ?? '', options);
  if (!planned.ok) return terminal.refuse(planned.errors, options);
  terminal.report(planned.notices);
  if (options.dryRun) {
    return await printPlan(planned.value, options, { terminal, command: 'run' });
  }
  const { data = [], axes } = planned.value;
  if (!options.quiet && !options.json) for (const line of plannedDataLines(data, axes)) terminal.print(line);
  return await trainPlan(planned.value, options, { terminal, command: 'run' });
};
