import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks in a second, as Linux counts processor time in `/proc`. */
const ticks = 100;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Seconds of processor time that the living processes of a group have used; NaN where `/proc` does not show it. */
export const groupSeconds = (group: number): number => {
  if (process.platform !== 'linux') return Number.NaN;
  let sum = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = read(`/proc/${pid}/stat`);
    // Counted after the command's name, which may hold spaces: state, parent, group, ..., user and system time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) === group) sum += (Number(fields[11]) + Number(fields[12])) / ticks;
  }
  return sum;
};

/** Milliseconds that this process's main thread was ready but another had the core; NaN where `/proc` does not show it. */
export const waitedMs = (): number => Number(read('/proc/self/schedstat').split(' ')[1] || Number.NaN) / 1e6;
