import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { isSealIntact } from '../record/digests.ts';
import { readFrozenPlan } from '../record/frozen-plan.ts';
import { grownPlan, journalDamage, searchJournalPath } from '../record/search-journal.ts';
import { readJson } from '../system/files.ts';
import { proposedCommand, shellWord } from '../system/proposed-command.ts';
import { leftoversIn } from './leftovers.ts';
import { oddEntry } from './odd-entry.ts';
import { damage, type Problem, type Remedy, reported } from './problem.ts';
import { isObject } from '../system/json.ts';

export interface CheckedSweeps {
  /** Those that can be read, with the runs that their searches have chosen. */
  readonly plans: readonly Plan[];
  /** Files of plans, readable or not. */
  readonly count: number;
  readonly problems: readonly Problem[];
}

/** Reads the frozen plans and the search journals of an experiment. */
export const checkSweeps = (experimentDirectory: string, runsDirectory: string): CheckedSweeps => {
  const folder = join(experimentDirectory, 'sweeps');
  if (!existsSync(folder)) return { plans: [], count: 0, problems: [] };
  const plans: Plan[] = [];
  const problems: Problem[] = [];
  const repairing = proposedCommand(['check', basename(experimentDirectory), '--repair'], runsDirectory);
  const isWhole = (name: string): boolean => {
    const odd = oddEntry(join(folder, name), { isFile: /\.jsonl?$/.test(name), repairing });
    if (odd) problems.push(odd);
    return odd === undefined;
  };
  const names = readdirSync(folder).sort();
  const whole = new Set(names.filter(isWhole));
  const files = [...whole].filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  for (const name of files) {
    const path = join(folder, name);
    const read = readFrozenPlan(path);
    if (!read.ok) {
      for (const { message } of read.errors) problems.push(reported(path, message, planAgain(path)));
      continue;
    }
    if (!read.value) continue;
    const plan = read.value;
    if (`${plan.sweepId}.json` !== name) {
      problems.push(damage(path, `is the plan of another sweep, ${plan.sweepId}`, planAgain(path)));
      continue;
    }
    const file = readJson(path);
    if (isObject(file) && isSealIntact(file) === false)
      problems.push(damage(path, 'is not as it was written: its checksum does not match', planAgain(path)));
    const journal = searchJournalPath(path);
    if (names.includes(basename(journal)) && !whole.has(basename(journal))) {
      plans.push(plan);
      continue;
    }
    const broken = journalDamage(plan, path);
    if (broken)
      problems.push(
        reported(journal, broken.message, {
          repair: { kind: 'cut', path: journal },
          next: proposedCommand(['resume', plan.sweepId], runsDirectory),
        }),
      );
    plans.push(grownPlan(plan, path));
  }
  for (const name of [...whole].filter((one) => one.endsWith('.decisions.jsonl'))) {
    const plan = name.replace(/\.decisions\.jsonl$/, '.json');
    if (!names.includes(plan))
      problems.push(
        damage(join(folder, name), `belongs to the plan ${plan}, which is missing`, {
          next: `Put the plan back, or delete the file: rm ${shellWord(join(folder, name))}`,
        }),
      );
  }
  return { plans, count: files.length, problems: [...problems, ...leftoversIn(folder)] };
};

const planAgain = (path: string): Remedy => ({
  repair: { kind: 'set-aside', path },
  next: 'Run its spec again: recorded runs are kept and not trained again.',
});
