import { expect, test } from 'vitest';
import { outcomeOfExit } from '../../src/executor/exit-reason.ts';

const exit = (given: Partial<Parameters<typeof outcomeOfExit>[0]>) =>
  outcomeOfExit(
    { type: 'exited', code: null, signal: null, killedByUs: false, lastWords: '', ...given },
    { killedByUser: false, timeoutMs: null },
  );

test('a process that could not allocate ran out of memory, by whatever signal it ended', () => {
  expect(
    exit({ signal: 'SIGABRT', lastWords: 'terminate called after throwing\n  what():  std::bad_alloc\n' }),
  ).toEqual({
    reason: 'out-of-memory',
    message: 'the process ran out of memory: what():  std::bad_alloc',
  });
  expect(exit({ code: 134, lastWords: 'FATAL ERROR: JavaScript heap out of memory' }).reason).toBe(
    'out-of-memory',
  );
});

test('any other end that nobody asked for is a crash, with the last words', () => {
  expect(exit({ signal: 'SIGSEGV' })).toEqual({
    reason: 'crashed',
    message: 'the process was ended by SIGSEGV',
  });
  expect(exit({ code: 3, lastWords: 'first\nlast words\n' })).toEqual({
    reason: 'crashed',
    message: 'the process ended with exit code 3: last words',
  });
});

test('a process of another version of Unroll interrupts its run, although we killed it', () => {
  const refused = 'its process is of Unroll 9.9.9.';
  expect(exit({ signal: 'SIGKILL', refused })).toEqual({ reason: 'interrupted', message: refused });
});

test('the first cause wins: who was killed for a reason ended for that reason', () => {
  const killed = {
    type: 'exited',
    code: null,
    signal: 'SIGKILL',
    killedByUs: true,
    lastWords: 'std::bad_alloc',
  } as const;
  expect(outcomeOfExit(killed, { killedByUser: true, timeoutMs: 5000 }).reason).toBe('killed');
  expect(outcomeOfExit(killed, { killedByUser: false, timeoutMs: 5000 })).toEqual({
    reason: 'timed-out',
    message: 'killed after its time limit of 5 s',
  });
});
