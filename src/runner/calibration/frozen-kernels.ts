import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../../plan/plan.ts';
import { kernelNames } from '../../tensorflow/kernels/table.ts';
import { expectedKernels } from '../../tensorflow/expected-kernels.ts';
import { outdatedSetup } from '../../tensorflow/outdated-setup.ts';
import { frozenPlanPath, readFrozenPlan } from '../../record/frozen-plan.ts';
import { journalDamage } from '../../record/search-journal.ts';
import { runStandings } from '../select.ts';
import { readKept } from './kept.ts';
import { workFinder, worksOf } from './work.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** The kernels of our own library, the only ones with bfloat16 operands. */
const ownKernels = kernelNames((needs) => needs === 'own-library');

/** Returns the kernel that a frozen plan has for a run, also for one that its search has chosen since. */
export const kernelFinder = (plan: Plan): ((run: Run) => Promise<string | undefined>) => {
  const { kernels = {} } = plan.execution;
  const workOf = workFinder(plan);
  return async (run) => {
    const work = await workOf(run);
    return work && kernels[work.key];
  };
};

/** The kernels that can run here: as a process reported, otherwise as files show. */
export const runnableHere = (): readonly string[] => {
  const expected = expectedKernels();
  return expected.length === 0 ? [] : (readKept().runnable ?? expected);
};

/**
 * Why a sweep cannot be started or resumed: its plan or its search's journal is damaged, or runs are left to train with
 * kernels that cannot run here (all of our own after an update of Unroll or where a run needs bfloat16, or one that was
 * frozen with their plan). `force` trains every run again, and begins the journal afresh.
 */
export const checkFrozen = async (
  plan: Plan,
  { runsDirectory, force }: { readonly runsDirectory: string; readonly force: boolean },
): Promise<Diagnostic | undefined> => {
  const path = frozenPlanPath(runsDirectory, plan);
  const frozen = readFrozenPlan(path);
  if (!frozen.ok) return frozen.errors[0];
  const damage = force ? undefined : journalDamage(plan, path);
  if (damage) return { ...damage, severity: 'error' };
  const left = (): readonly Run[] =>
    runStandings(plan, runsDirectory).flatMap(({ run, state }) => (state === 'done' ? [] : [run]));
  const outdated = outdatedSetup();
  if (outdated && left().length > 0) return outdated;
  const { kernels = {} } = frozen.value?.execution ?? {};
  const runnable = runnableHere();
  const isOwn = (name: string) => ownKernels.includes(name);
  if (!runnable.some(isOwn) && left().some(({ config }) => config.train.precision !== undefined))
    return {
      code: 'backend-missing',
      severity: 'error',
      message: "train.precision: bfloat16 needs Unroll's own kernels, which cannot run here.",
      expected: `one of ${ownKernels.join(', ')}`,
      got: runnable.length > 0 ? runnable.join(', ') : 'no native TensorFlow',
      help: `\`${proposedCommand(['doctor'])}\` prints what is missing and how to fix it. Without \`precision\` in train, the runs train in float32.`,
    };
  const lost = new Map(Object.entries(kernels).filter(([, kernel]) => !runnable.includes(kernel)));
  if (lost.size === 0) return undefined;
  const works = await worksOf(left(), plan);
  const work = works.find(({ key }) => lost.has(key));
  if (!work) return undefined;
  const kernel = lost.get(work.key) ?? '';
  return {
    code: 'backend-missing',
    severity: 'error',
    message: `This sweep was begun with the kernel ${kernel}, which cannot run here; another one would give other numbers.`,
    expected:
      runnable.length > 0 ? `one of ${runnable.join(', ')}` : 'native TensorFlow, which is not in use',
    got: kernel,
    help:
      `\`${proposedCommand(['doctor'])}\` prints what is missing and how to fix it. To train the sweep from the start with what is available, ` +
      'name another folder: --runs-directory.',
  };
};
