import type { TrainingHost } from '../../record/events.ts';

/** What `squeue` is asked for each task: the array's job, the task, its state, why it waits, its node, and the job's name. */
export const queueFormat = '%F|%K|%T|%r|%N|%j';

/** A task of a job array, as Slurm knows it. */
export interface QueuedTask {
  readonly name: string;
  readonly job: string;
  readonly task: number;
  readonly phase: 'waiting' | 'active' | 'ended';
  /** In the words of Slurm, such as `TIMEOUT`. */
  readonly state: string;
  /** Why it waits or how it ended, in the words of Slurm; empty where Slurm gives no reason. */
  readonly reason: string;
  readonly node: string;
}

const waiting: ReadonlySet<string> = new Set([
  'PENDING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
]);

const ended: ReadonlySet<string> = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'REVOKED',
  'TIMEOUT',
]);

/** What this version does not know counts as active: a job that may still train is never submitted a second time. */
const phaseOf = (state: string): QueuedTask['phase'] =>
  waiting.has(state) ? 'waiting' : ended.has(state) ? 'ended' : 'active';

/** The tasks in what `squeue -h -o queueFormat` has printed. Lines of other jobs, and lines cut off, are left out. */
export const parseQueue = (text: string): readonly QueuedTask[] =>
  text.split('\n').flatMap((line) => {
    const [job = '', tasks = '', state = '', reason = '', node = '', ...rest] = line.split('|');
    const name = rest.join('|');
    if (!/^\d+$/.test(job) || name === '') return [];
    const common = { name, job, state, phase: phaseOf(state), reason: reason === 'None' ? '' : reason, node };
    return taskNumbers(tasks).map((task) => ({ ...common, task }));
  });

/** `7`, or of tasks that wait together `2-5,8%2`. */
const taskNumbers = (text: string): readonly number[] =>
  text
    .replace(/%\d+$/, '')
    .split(',')
    .flatMap((part) => {
      const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      if (from === '') return [];
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
    });

/** Temporary reasons: other jobs come first, or this one was asked to wait. */
const usualReasons: ReadonlySet<string> = new Set([
  '',
  'BeginTime',
  'Cleaning',
  'JobArrayTaskLimit',
  'Priority',
  'Resources',
]);

/** Why a task waits, if it would wait for ever; otherwise undefined. */
export const obstacleOf = ({ phase, reason }: QueuedTask): string | undefined =>
  phase === 'waiting' && !usualReasons.has(reason) ? reason : undefined;

/** The nodes with active tasks, each of which trains a run, and those that died under one. */
export const hostsOf = (queue: readonly QueuedTask[]): readonly TrainingHost[] => {
  const busy = new Map<string, number>();
  const lost = new Set<string>();
  for (const { phase, state, node } of queue) {
    if (phase === 'active' && node !== '') busy.set(node, (busy.get(node) ?? 0) + 1);
    if (state === 'NODE_FAIL' && node !== '') lost.add(node);
  }
  const active = [...busy].map(([host, tasks]) => ({ host, slots: tasks, busy: tasks, isLost: false }));
  const dead = [...lost]
    .filter((host) => !busy.has(host))
    .map((host) => ({ host, slots: 0, busy: 0, isLost: true }));
  return [...active, ...dead].sort((a, b) => (a.host < b.host ? -1 : 1));
};
