import { randomUUID } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, rmSync, statSync } from 'node:fs';
import { link, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { streamOf, writePieces, ensureFolder } from '../system/files.ts';
import { ignoringSystemErrors, named, systemErrorOf } from '../system/system-error.ts';
import { StoreError, type Backend } from './backend.ts';

/** Contents are written here first. */
const arriving = 'arriving';

/** What a process that was killed has left there is removed after this time. */
const abandonedMs = 24 * 3600 * 1000;

/** A store in a directory, of one machine or on a shared file system. */
export const directoryBackend = (root: string): Backend => {
  const at = (name: string) => join(root, name);
  const guarded = <T>(path: string, act: () => Promise<T>): Promise<T> =>
    act().catch((error: unknown) => {
      throw storeErrorOf(named(error, path), root);
    });
  let swept = false;
  const sweep = async () => {
    if (swept) return;
    swept = true;
    for (const name of await readdir(at(arriving)).catch(() => [])) {
      const found = lstatSync(at(join(arriving, name)), { throwIfNoEntry: false });
      if (found && Date.now() - found.mtimeMs > abandonedMs)
        await rm(at(join(arriving, name)), { force: true }).catch(() => undefined);
    }
  };
  const list: Backend['list'] = async function* (folder) {
    const names = await guarded(at(folder), () =>
      readdir(at(folder), { recursive: true }).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }),
    );
    for (const name of names) yield `${folder}/${name}`;
  };
  return {
    address: root,
    // Folders that are not there yet are made in the root.
    isReadOnly: () =>
      [arriving, 'runs', 'files'].some((name) => !mayWrite(existsSync(at(name)) ? at(name) : root)),
    read: (name) =>
      guarded(at(name), () =>
        Promise.resolve(
          statSync(at(name), { throwIfNoEntry: false })
            ? streamOf(at(name), { highWaterMark: 1 << 20 })
            : undefined,
        ),
      ),
    size: (name) =>
      guarded(at(name), () => Promise.resolve(statSync(at(name), { throwIfNoEntry: false })?.size)),
    write: (name, content, how) =>
      guarded(at(name), async () => {
        await sweep();
        requireParent(root);
        const beside = at(join(arriving, randomUUID()));
        ensureFolder(dirname(beside));
        ensureFolder(dirname(at(name)));
        try {
          await writePieces(beside, content.open());
          if (how === 'over') await rename(beside, at(name));
          else await link(beside, at(name));
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST' && how === 'new') return false;
          throw error;
        } finally {
          ignoringSystemErrors(() => rmSync(beside, { force: true }));
        }
      }),
    list,
    remove: (name) =>
      guarded(at(name), async () => {
        await rm(at(name), { force: true });
        // The folder of the last content; it stays while it has others.
        await rmdir(dirname(at(name))).catch(() => undefined);
      }),
    olderThan: async function* (folder, time) {
      for await (const name of list(folder)) {
        const found = lstatSync(at(name), { throwIfNoEntry: false });
        if (found?.isFile() && found.mtimeMs < time) yield name;
      }
    },
    close: () => Promise.resolve(),
  };
};

const mayWrite = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    // A store that does not exist yet.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};

/** A misspelt path, or a share that is not mounted, must not become a new store on this disk. */
const requireParent = (root: string): void => {
  if (existsSync(root) || existsSync(dirname(root))) return;
  throw new StoreError({
    message: `The store ${root} cannot be created: there is no folder ${dirname(root)}.`,
    expected: 'a directory in a folder that exists',
    help: 'Correct the path, mount the share, or create the folder.',
  });
};

const storeErrorOf = (error: unknown, root: string): unknown => {
  const found = systemErrorOf(error);
  return found
    ? new StoreError({
        message: `The store ${root} cannot be used: ${found.message.replace(/^C/, 'c')}.`,
        got: found.code,
        help: found.advice,
      })
    : error;
};
