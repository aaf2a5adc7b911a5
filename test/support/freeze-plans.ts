import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Execution } from '../../src/language/config.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { freezePlan } from '../../src/record/frozen-plan.ts';
import { makePlan } from './run-directories.ts';

/** Freezes and grows plans in step with another process; prints the executions that it was given. */
const { RUNS = '', ME = '', OTHER = '', ROUNDS = '0' } = process.env;

/** Returns as soon as both processes have come here. */
const meet = (where: string) => {
  writeFileSync(join(RUNS, `${where}-${ME}`), '');
  while (!existsSync(join(RUNS, `${where}-${OTHER}`)));
};

const planned = (round: number, kernels: Record<string, string>): Plan => {
  const plan = makePlan({ experiment: 'freezing' });
  const threadsPerRun = ME === 'a' ? 1 : 2;
  return { ...plan, sweepId: `round-${round}`, execution: { ...plan.execution, threadsPerRun, kernels } };
};

const given: Execution[][] = [];
for (let round = 0; round < Number(ROUNDS); round++) {
  meet(`freeze-${round}`);
  const first = await freezePlan(planned(round, { both: ME }), RUNS);
  meet(`grow-${round}`);
  const grown = await freezePlan(planned(round, { [`only ${ME}`]: ME, later: ME }), RUNS);
  given.push([first.execution, grown.execution]);
}
process.stdout.write(JSON.stringify(given));
