import { planExperiment } from '../../spec/plan-experiment.ts';
import { coreCount } from '../../runner/environment.ts';
import type { Execute } from '../command.ts';
import { printPlan } from '../print-plan.ts';
import { readSpecOptions } from '../spec-options.ts';

/** `unroll plan SPEC` */
export const execute: Execute = async (words, options, terminal) => {
  const planned = await planExperiment(words[0] ?? '', { ...readSpecOptions(options), cores: coreCount() });
  if (!planned.ok) {
    terminal.report(planned.errors, options);
    return 2;
  }
  if (!options['json']) terminal.report(planned.notices);
  return printPlan(planned.value, options, { terminal, command: 'plan' });
};
