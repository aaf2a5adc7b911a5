import { damagedFile } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { sha256Of } from './digests.ts';

/** A set-up that had to fall back is not tried again for this long, unless the user asks for it. */
const fallBackLastsMs = 60 * 60 * 1000;

/** Whether every file has the digest that was recorded. Takes a second; `isReady` compares large files by size and time. */
export const hasItsDigests = async ({ files }: Installation): Promise<boolean> => {
  for (const { path, sha256 } of files) if ((await sha256Of(path)) !== sha256) return false;
  return true;
};

/** Whether an earlier decision is still valid: made for the same sources, every file there, proved in this Node. */
export const isReady = (
  installation: Installation | undefined,
  key: string,
): installation is Installation => {
  if (installation?.key !== key || damagedFile(installation) !== undefined) return false;
  return installation.native === 'none'
    ? Date.now() - installation.decidedAt < fallBackLastsMs
    : installation.provedOn.includes(process.versions.modules);
};
