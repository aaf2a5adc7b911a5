import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockFault } from '../../../src/executor/slurm/clock.ts';
import { readPartitions } from '../../../src/executor/slurm/check.ts';
import { sbatchWords } from '../../../src/executor/slurm/commands.ts';
import { usualSlurm } from '../../../src/plan/execution.ts';
import { noteLine, parseNote, readResult, writeResult } from '../../../src/executor/slurm/folder.ts';
import { fillMs, packRuns } from '../../../src/executor/slurm/pack.ts';
import { hostsOf, obstacleOf, parseQueue } from '../../../src/executor/slurm/queue.ts';
import { jobScript } from '../../../src/executor/slurm/submit-batch.ts';
import { parseSlurmTime, slurmMinutes, stopMarginMs } from '../../../src/executor/slurm/time.ts';
import type { RunOutcome } from '../../../src/record/events.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const lengths = fc.array(fc.option(fc.integer({ min: 0, max: 4_000_000 }), { nil: undefined }), {
  maxLength: 60,
});

describe('packing runs into jobs', () => {
  it('gives each run to one job, in order, and no job is empty', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 9 })),
        (some, each) => {
          const jobs = packRuns(some, each);
          expect(jobs.flat()).toEqual(some.map((_, index) => index));
          expect(jobs.every((job) => job.length > 0)).toBe(true);
        },
      ),
    );
  });

  it('fills half an hour, and no more unless one run does', () => {
    const length = fc.integer({ min: 1, max: 4_000_000 });
    fc.assert(
      fc.property(fc.array(length, { maxLength: 60 }), (some) => {
        const jobs = packRuns(some, 'auto').map((job) => job.map((index) => some[index] ?? 0));
        const sum = (job: readonly number[]) => job.reduce((all, one) => all + one, 0);
        for (const [index, job] of jobs.entries()) {
          expect(job.length === 1 || sum(job) <= fillMs).toBe(true);
          const [next] = jobs[index + 1] ?? [];
          if (next !== undefined) expect(sum(job) + next).toBeGreaterThan(fillMs);
        }
      }),
    );
  });

  it('gives a number of runs to each job but the last', () => {
    expect(packRuns(Array.from({ length: 40 }), 10).map((job) => job.length)).toEqual([10, 10, 10, 10]);
    expect(packRuns(Array.from({ length: 7 }), 3).map((job) => job.length)).toEqual([3, 3, 1]);
  });
});

describe('times of Slurm', () => {
  it('are read as they are printed', () => {
    const pad = (value: number) => String(value).padStart(2, '0');
    fc.assert(
      fc.property(fc.nat(20), fc.nat(23), fc.nat(59), fc.nat(59), (days, hours, minutes, seconds) => {
        const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
        const short = hours > 0 || days > 0 ? `${pad(hours)}:` : '';
        const printed = `${days > 0 ? `${days}-` : ''}${short}${pad(minutes)}:${pad(seconds)}`;
        expect(parseSlurmTime(printed)).toBe(ms);
      }),
    );
    expect(parseSlurmTime('UNLIMITED')).toBe(Infinity);
    for (const none of ['', 'N/A', 'NOT_SET', 'INVALID', '5', '1-5'])
      expect(parseSlurmTime(none)).toBeUndefined();
  });

  it('never ask for less than was wanted, and leave most of it to the training', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 1e9 }), (ms) => {
        expect(Number(slurmMinutes(ms)) * 60_000).toBeGreaterThanOrEqual(ms);
        expect(stopMarginMs(ms)).toBeLessThanOrEqual(Math.min(60_000, ms / 4));
        expect(stopMarginMs(ms)).toBeGreaterThanOrEqual(15_000);
      }),
    );
  });
});

describe('the queue of Slurm', () => {
  it('is read task by task, with what waits together', () => {
    const [first, ...others] = parseQueue(
      [
        '10|2-4,7%2|PENDING|JobArrayTaskLimit||unroll-a-1',
        '10|0|RUNNING|None|n1|unroll-a-1',
        '11|N/A|RUNNING|None|n2|x',
        '',
      ].join('\n'),
    );
    expect(first).toEqual({
      name: 'unroll-a-1',
      job: '10',
      task: 2,
      phase: 'waiting',
      state: 'PENDING',
      reason: 'JobArrayTaskLimit',
      node: '',
    });
    expect(others.map(({ task, phase, reason }) => [task, phase, reason])).toEqual([
      [3, 'waiting', 'JobArrayTaskLimit'],
      [4, 'waiting', 'JobArrayTaskLimit'],
      [7, 'waiting', 'JobArrayTaskLimit'],
      [0, 'active', ''],
    ]);
  });

  it('never counts a state as ended that it does not know, and survives any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const { task } of parseQueue(text)) expect(Number.isInteger(task)).toBe(true);
        const [one] = parseQueue(`1|0|${text.replaceAll(/[|\n]/g, '')}X_Y|None|n1|name`);
        expect(one?.phase).toBe('active');
      }),
    );
  });

  it('names what keeps a job waiting for ever, and nothing that passes', () => {
    const waiting = (reason: string) => parseQueue(`1|0|PENDING|${reason}||name`).map(obstacleOf);
    expect(waiting('PartitionTimeLimit')).toEqual(['PartitionTimeLimit']);
    for (const usual of ['None', 'Priority', 'Resources', 'BeginTime'])
      expect(waiting(usual)).toEqual([undefined]);
  });
});

it('shows the nodes that train, and those that died', () => {
  const task = (state: string, node: string) => `1|0|${state}|None|${node}|name`;
  const queue = ['RUNNING', 'RUNNING', 'COMPLETED'].map((state) => task(state, 'n2'));
  const hosts = hostsOf(parseQueue([...queue, task('NODE_FAIL', 'n1'), task('NODE_FAIL', 'n2')].join('\n')));
  expect(hosts).toEqual([
    { host: 'n1', slots: 0, busy: 0, isLost: true },
    { host: 'n2', slots: 2, busy: 2, isLost: false },
  ]);
});

describe('clocks', () => {
  it('are refused only where something later has an earlier time', () => {
    const names = { here: 'n1', there: 'the submitter' };
    expect(clockFault({ earlier: 1_000_000, later: 9_000_000 }, names)).toBeUndefined();
    expect(clockFault({ earlier: 1_009_000, later: 1_000_000 }, names)).toBeUndefined();
    expect(clockFault({ earlier: 4_600_000, later: 1_000_000 }, names)).toMatch(
      /^The clock of n1 is at least 1h.* behind that of the submitter\..*NTP/,
    );
  });
});

describe('what a job exchanges', () => {
  const outcome: RunOutcome = {
    reason: 'diverged',
    message: 'the loss is not finite',
    step: 3,
    elapsedMs: 5,
    metrics: { 'train/loss': NaN, 'val/loss': Infinity, 'test/accuracy': 0.1 },
  };

  it('keeps numbers that JSON has not', () => {
    const folder = temporaryDirectory();
    expect(writeResult(folder, 'abc', outcome)).toBe(true);
    expect(readResult(folder, 'abc')).toEqual(outcome);
    const note = {
      run: 'abc',
      event: { type: 'training-ended', time: 1, outcome },
      residentBytes: 7,
    } as const;
    expect(parseNote(noteLine(note))).toEqual(note);
  });

  it('has one result of two attempts: the first', () => {
    const folder = temporaryDirectory();
    writeResult(folder, 'abc', outcome);
    expect(writeResult(folder, 'abc', { ...outcome, reason: 'completed' })).toBe(false);
    expect(readResult(folder, 'abc')?.reason).toBe('diverged');
  });

  it('quotes folders for the shell, and percent signs for Slurm', () => {
    expect(jobScript("/data/it's 50%")).toContain(`'/data/it'\\''s 50%' "$SLURM_ARRAY_TASK_ID"`);
    const words = sbatchWords(usualSlurm, { name: 'n', cpus: 2, folder: '/data/50%' });
    expect(words).toContain('--output=/data/50%%/log-%a.txt');
  });
});

it('reads the partitions of a cluster', () => {
  const line =
    'PartitionName=long AllowGroups=ALL Default=YES MaxTime=2-00:00:00 State=UP TotalCPUs=64 TotalNodes=2';
  expect(readPartitions(`${line}\n`)).toEqual([
    { name: 'long', isDefault: true, longestMs: 172_800_000, cpus: 64 },
  ]);
});
