import { resolve } from 'node:path';
import { success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { cancelJobs } from '../../executor/bullmq/cancel.ts';
import { answered, openRedis } from '../../executor/bullmq/redis.ts';
import { cancelBatches } from '../../executor/slurm/cancel.ts';
import { batchesDirectory } from '../../executor/slurm/folder.ts';
import type { Plan } from '../../plan/plan.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute } from '../command.ts';
import { executorOfSweep } from '../sweep-executor.ts';
import { findSweep } from '../recorded.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
}

/** What was cancelled, for programs and for people; `words` is empty where nothing was. */
interface Cancelled {
  readonly counts: Readonly<Record<string, number>>;
  readonly words: string;
}

/** `unroll cancel [SWEEP]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const { runsDirectory } = options;
  const complain = (errors: readonly Diagnostic[]) => {
    terminal.report(errors, options);
    return 2 as const;
  };
  const found = findSweep(runsDirectory, words[0], 'resume');
  if (!found.ok) return complain(found.errors);
  const plan = found.value;
  const cancelled =
    executorOfSweep(runsDirectory, plan) === 'slurm'
      ? await inSlurm(runsDirectory, plan)
      : await onWorkers(plan);
  if (!cancelled.ok) return complain(cancelled.errors);
  const { counts, words: what } = cancelled.value;
  const { sweepId } = plan;
  if (options.json) terminal.print(JSON.stringify({ sweepId, ...counts }, null, 2));
  else if (what === '') terminal.print(`No run of the sweep ${sweepId} is queued or running.`);
  else terminal.print(`Cancelled ${what}`);
  return 0;
};

const inSlurm = async (runsDirectory: string, plan: Plan): Promise<Result<Cancelled>> => {
  const cancelled = await cancelBatches(resolve(batchesDirectory(runsDirectory, plan)));
  if (!cancelled.ok) return cancelled;
  const { tasks } = cancelled.value;
  const words = `${counted(tasks, 'job')} of the sweep ${plan.sweepId}. Recorded steps are kept, and running runs have written a checkpoint.`;
  return success({ counts: { tasks }, words: tasks === 0 ? '' : words });
};

const onWorkers = async ({ sweepId }: Plan): Promise<Result<Cancelled>> => {
  const server = await openRedis();
  if (!server.ok) return server;
  const { client } = server.value;
  const { removed, stopped, left } = await answered(server.value, () =>
    cancelJobs(server.value, sweepId),
  ).finally(() => client.disconnect());
  const [stay, them] = left === 1 ? ['stays', 'it'] : ['stay', 'them'];
  const shared =
    left === 0 ? '' : ` ${counted(left, 'run')} ${stay}, because another sweep waits for ${them}, too.`;
  const words = `${counted(removed, 'queued run')} and ${counted(stopped, 'running one')} of the sweep ${sweepId}. What is recorded stays.${shared}`;
  return success({
    counts: { removed, stopped, left },
    words: removed + stopped + left === 0 ? '' : words,
  });
};
