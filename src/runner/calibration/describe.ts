import type { Plan } from '../../plan/plan.ts';
import { coreCount } from '../../record/environment.ts';
import { frozenExecution, withThreads } from '../../record/frozen-plan.ts';
import { runnableHere } from './frozen-kernels.ts';
import { chooseKernelOf, type KernelChoice } from './kernel-choice.ts';
import { readKept } from './kept.ts';
import { keptThreads, threadQuestion } from './thread-choice.ts';
import { worksOf } from './work.ts';

/** How a plan would be calibrated if it began now. */
export interface CalibrationView {
  /** The plan with the threads that are settled. */
  readonly plan: Plan;
  /** Numbers of threads that a measurement will choose from when the sweep begins; empty where they are settled. */
  readonly threadsToMeasure: readonly number[];
  /** Each kind of work that has a choice of kernels. */
  readonly kernels: readonly ({ readonly work: string; readonly runs: number } & Exclude<
    KernelChoice,
    { how: 'free' }
  >)[];
}

/** Looks up what is frozen and kept, and returns what must be measured; measures nothing. */
export const describeCalibration = async (plan: Plan, runsDirectory: string): Promise<CalibrationView> => {
  const frozen = frozenExecution(plan, runsDirectory);
  const works = await worksOf(plan.runs, plan);
  const kept = readKept();
  const question = frozen ? undefined : threadQuestion(works, plan, { cores: coreCount() });
  const known = question && keptThreads(question, kept);
  const threads = frozen?.threadsPerRun ?? known ?? plan.execution.threadsPerRun;
  const execution = {
    ...withThreads(plan.execution, threads),
    ...(frozen?.kernels && { kernels: frozen.kernels }),
  };
  const settled = { execution, kept, runnable: runnableHere() };
  return {
    plan: { ...plan, execution },
    threadsToMeasure: question && known === undefined ? question.arrangements.map((one) => one.threads) : [],
    kernels: works.flatMap((work) => {
      const choice = chooseKernelOf(work, settled);
      return choice.how === 'free' ? [] : [{ work: work.key, runs: work.runs.length, ...choice }];
    }),
  };
};
