import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, unreachable } from '../diagnostic/diagnostic.ts';
import { parseStatus } from '../record/parse-run-files.ts';
import { whileUntouched } from '../record/removal.ts';
import { unlessRefused } from '../diagnostic/system-problem.ts';
import { fileNames, type StatusFile } from '../record/run-files.ts';
import { cutDamage } from '../record/search-journal.ts';
import { writeJson, readRegularText } from '../system/files.ts';
import type { Problem, Repair } from './problem.ts';

/** What a repair does, in a few words. */
export const describeRepair = (repair: Repair): string => {
  switch (repair.kind) {
    case 'delete':
      return `delete ${repair.path}`;
    case 'restore':
      return `write ${join(repair.directory, fileNames.run)} again, from the plan of the sweep`;
    case 'reopen':
      return `mark ${repair.directory} as interrupted, so that it is trained again`;
    case 'set-aside':
      return `rename ${repair.path} to ${asideName(repair.path)}`;
    case 'cut':
      return `cut ${repair.path} before its first damaged line`;
    default:
      return unreachable(repair);
  }
};

const asideName = (path: string): string => `${path}.damaged`;

export interface Repaired {
  /** Problems that were not repaired: by no means of this program, because a process holds the run, or refused. */
  readonly left: readonly Problem[];
  /** Why the system refused repairs. */
  readonly refused: readonly Diagnostic[];
}

/** Repairs problems, each cause once. One that the system refuses does not stop the others. */
export const repairAll = (problems: readonly Problem[]): Repaired => {
  const done = new Map<string, boolean>();
  const refused: Diagnostic[] = [];
  const left = problems.filter((problem) => {
    const { repair, message } = problem;
    if (!repair) return true;
    const key = describeRepair(repair);
    const known = done.get(key) ?? unlessRefused(() => carryOut(repair, message), refused) ?? false;
    done.set(key, known);
    return !known;
  });
  return { left, refused };
};

const carryOut = (repair: Repair, why: string): boolean => {
  switch (repair.kind) {
    case 'delete':
      rmSync(repair.path, { recursive: true, force: true });
      return true;
    case 'restore':
      return whileUntouched(repair.directory, () =>
        writeJson(join(repair.directory, fileNames.run), repair.run),
      );
    case 'reopen':
      return whileUntouched(repair.directory, () => reopen(repair.directory, why));
    case 'set-aside':
      renameSync(repair.path, asideName(repair.path));
      return true;
    case 'cut':
      cutDamage(repair.path);
      return true;
    default:
      return unreachable(repair);
  }
};

/** The record stays the same one, so that its copy on a server is continued, and only its end is taken back. */
const reopen = (directory: string, why: string): void => {
  const path = join(directory, fileNames.status);
  const status = parseStatus(path, readRegularText(path));
  if (!status.ok) return;
  const { startedAt, firstStartedAt, attempt, outcome } = status.value;
  const elapsedMs = outcome?.elapsedMs ?? 0;
  // Without digests: they would be those of the damaged files.
  const reopened: StatusFile = {
    state: 'ended',
    attempt,
    startedAt,
    firstStartedAt: firstStartedAt ?? startedAt,
    endedAt: status.value.endedAt,
    outcome: { reason: 'interrupted', message: `unroll check: ${why}`, step: 0, elapsedMs, metrics: {} },
    holder: null,
  };
  writeJson(path, reopened);
};
