import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Executor, ExecutorName } from '../executor/executor.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunListener } from '../record/events.ts';
import type { StoreOptions } from '../store/open-address.ts';
import type { Store } from '../store/store.ts';
import { proposedCommand } from '../system/proposed-command.ts';

/** The options that choose where runs train, as commander reads them. */
export interface ExecutorOptions {
  readonly executor?: ExecutorName | undefined;
  readonly class?: string | undefined;
  readonly maxParallel?: number | undefined;
  readonly priority?: number | undefined;
  readonly shareData?: boolean | undefined;
  readonly runsDirectory: string;
}

/** What a command has open for the executor. */
export interface ExecutorGround {
  /** The shared store of runs that it uses. */
  readonly store: Store | undefined;
}

/** An executor of other machines that is ready for a sweep. */
export interface RemoteExecutor {
  readonly name: Exclude<ExecutorName, 'local'>;
  readonly warnings: readonly Diagnostic[];
  readonly open: (listener: RunListener) => Promise<Executor>;
  /** Whether this machine may measure kernels. */
  readonly mayMeasure: boolean;
  /** What is printed when Ctrl-C leaves the runs to the other machines. */
  readonly leaving: string;
  /** How to come back to them, and how to end them. */
  readonly comeBack: readonly string[];
}

/** How to come back to a sweep that was left, and how to end what is left of it: runs or jobs. */
export const comeBackTo = (
  plan: Plan,
  left: 'runs' | 'jobs',
  options: ExecutorOptions & StoreOptions,
): readonly string[] => [
  ...(plan.search
    ? ['This sweep decides by results, so it begins no further points until you come back.']
    : []),
  `Come back with: ${proposedCommand(['attach', plan.sweepId, ...wordsOf(options)], options.runsDirectory)}`,
  `End its ${left} with: ${proposedCommand(['cancel', plan.sweepId], options.runsDirectory)}`,
];

/** The options by which a command finds its runs again, and treats the rest of the sweep alike. */
const wordsOf = ({
  class: resourceClass,
  maxParallel,
  priority,
  shareData,
  store,
}: ExecutorOptions & StoreOptions): readonly string[] => [
  ...(resourceClass === undefined ? [] : ['--class', resourceClass]),
  ...(maxParallel === undefined ? [] : ['--max-parallel', String(maxParallel)]),
  ...(priority === undefined ? [] : ['--priority', String(priority)]),
  ...(shareData === true ? ['--share-data'] : []),
  ...(typeof store === 'string' ? ['--store', store] : []),
];
