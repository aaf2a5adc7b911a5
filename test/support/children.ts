import { readFileSync } from 'node:fs';

/** The processes that a process has started and that it has not waited for; none if it has ended. Linux only. */
export const childrenOf = (pid: number): number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};
