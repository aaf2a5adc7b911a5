import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { copyRegular, readRegular } from '../../system/files.ts';
import type { Installation } from '../installation.ts';

/** A set-up that had to fall back is not tried again for this long, unless the user asks for it. */
const fallBackLastsMs = 60 * 60 * 1000;

const isThere = ({ path, bytes }: Installation['files'][number]): boolean =>
  statSync(path, { throwIfNoEntry: false })?.size === bytes;

/** Removes files whose size changed, after a full disk or a crash, so that they are made again. */
export const removeDamaged = async (installation: Installation | undefined): Promise<void> => {
  for (const file of installation?.files ?? []) if (!isThere(file)) await rm(file.path, { force: true });
};

/** Whether an earlier decision is still valid: made for the same sources, every file there, proved in this Node. */
export const isReady = (
  installation: Installation | undefined,
  key: string,
): installation is Installation => {
  if (installation?.key !== key || !installation.files.every(isThere)) return false;
  return installation.native === 'none'
    ? Date.now() - installation.decidedAt < fallBackLastsMs
    : installation.provedOn.includes(process.versions.modules);
};

const sameFile = (link: string, target: string): boolean =>
  existsSync(link) && readRegular(link).equals(readRegular(target));

/**
 * Puts the addon where `require('@tensorflow/tfjs-node')` looks for it: a link, or a copy where links are not allowed.
 * A read-only installation is left as it is; `loadTensorFlow` finds the addon in the cache.
 */
export const linkAddon = async (addon: string, link: string): Promise<void> => {
  if (sameFile(link, addon)) return;
  const temporary = `${link}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(link), { recursive: true });
    await symlink(addon, temporary).catch(() => copyRegular(addon, temporary));
    await rename(temporary, link);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
};
