import { join } from 'node:path';
import { peersFolder, pythonOf } from './peers.ts';
import { oneThread, say, startWorker, type Worker } from './processes.ts';
import { alternate, compareWithBest, median, type Row } from './statistics.ts';
import { repetitionsOf, stepWorks, type StepRequest, type StepTimes } from './step-work.ts';

export interface StepResult {
  readonly kernel: string;
  readonly rows: readonly Row[];
}

interface Contestant {
  readonly name: string;
  readonly peer: 'Unroll' | 'PyTorch' | 'Keras' | 'tfjs-layers';
  readonly mode: string;
  readonly worker: Worker;
}

export interface StepOptions {
  readonly rounds: number;
  /** Only works whose name holds this. */
  readonly only: string | undefined;
}

/** Training steps on one core with one thread, in processes that take turns. */
export const measureSteps = async ({ rounds, only }: StepOptions): Promise<StepResult> => {
  const own = (what: string) => [process.execPath, process.argv[1] ?? '', '--serve', what];
  const start = (words: readonly string[]) => startWorker({ words, cores: '0', env: oneThread });
  const unroll = start(own('unroll'));
  const layers = start(own('layers'));
  const torch = start([pythonOf('torch'), join(peersFolder, 'torch_steps.py')]);
  const keras = start([pythonOf('keras'), join(peersFolder, 'keras_steps.py')]);
  const contestants: readonly Contestant[] = [
    { name: 'Unroll', peer: 'Unroll', mode: '', worker: unroll },
    { name: 'eager, default Adam', peer: 'PyTorch', mode: 'default', worker: torch },
    { name: 'eager, fused Adam', peer: 'PyTorch', mode: 'fused', worker: torch },
    { name: 'torch.compile, fused Adam', peer: 'PyTorch', mode: 'compiled', worker: torch },
    { name: 'compiled function', peer: 'Keras', mode: 'function', worker: keras },
    { name: 'XLA', peer: 'Keras', mode: 'xla', worker: keras },
    { name: 'tfjs-layers', peer: 'tfjs-layers', mode: '', worker: layers },
  ];
  const rows: Row[] = [];
  let kernel = '';
  for (const work of stepWorks.filter(({ name }) => only === undefined || name.includes(only))) {
    const entered = contestants.filter(({ peer }) => peer === 'Unroll' || work.goals[peer] !== undefined);
    const takeSteps = async ({ worker, mode, peer }: (typeof entered)[number]): Promise<number> => {
      // tfjs-layers is several times slower than the others.
      const repetitions = peer === 'tfjs-layers' ? 3 : repetitionsOf(work);
      const request: StepRequest = { do: 'steps', work, mode, repetitions };
      const taken = await worker.ask<StepTimes>(request);
      kernel ||= taken.kernel ?? '';
      return median(taken.cpu);
    };
    const times = await alternate(entered, rounds, takeSteps, { warmUp: true });
    const [ours] = times;
    if (!ours) continue;
    for (const [peer, goal] of Object.entries(work.goals)) {
      const ways = times.filter((_, index) => entered[index]?.peer === peer);
      const row = compareWithBest(ours, ways, { work: work.name, peer, unit: 'ms', goal });
      rows.push(row);
      say(
        `${row.work}: ${row.ours.median} ms, ${row.peer} ${row.theirs.median} ms, ratio ${row.ratio.median}`,
      );
    }
  }
  await Promise.all([unroll, layers, torch, keras].map((worker) => worker.stop()));
  return { kernel, rows };
};
