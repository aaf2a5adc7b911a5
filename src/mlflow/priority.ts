import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Has the processor go to training first: lowers the priority of a process that was just started, before it makes threads
 * and children of its own, which inherit it. `niceness` from 0 (as training) to 19. What the system does not allow is left
 * as it is.
 */
export const standBack = (pid: number | undefined, niceness: number): void => {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
    // Desktops' kernels share the processor between sessions first, and a detached process is its own session.
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // Gone already, or without such groups.
  }
};
