import type { Execute } from '../command.ts';
import type { StoreOptions } from '../../store/open-address.ts';
import { printPlan } from '../print-plan.ts';
import { planSpec } from '../plan-spec.ts';
import type { SelectionOptions } from '../selection.ts';
import type { GivenSpecOptions } from '../spec-options.ts';

type Options = SelectionOptions & StoreOptions & Omit<GivenSpecOptions, 'concurrency'>;

/** `unroll plan SPEC` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const planned = await planSpec(words[0] ?? '', options);
  if (!planned.ok) return terminal.refuse(planned.errors, options);
  if (!options.json) terminal.report(planned.notices);
  return await printPlan(planned.value, options, { terminal, command: 'plan' });
};
