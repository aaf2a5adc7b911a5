import { constants } from 'node:os';
import { resolve, sep } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { NoHome } from './home-folder.ts';

/**
 * Whom an error of the operating system stops. `machine`: every run of the sweep would meet it. `path`: one run, whose
 * files it concerns. Both interrupt a run, because nothing is wrong with the run itself. `none`: it is not known to be
 * independent of the run.
 */
type Scope = 'machine' | 'path' | 'none';

interface Row {
  readonly what: string;
  readonly advice: string;
  readonly scope: Scope;
}

const checkPath = 'Another process may have changed it. Check the path, and run the command again.';

/** What the error codes of the operating system mean, and what to do. */
const rows: Readonly<Record<string, Row>> = {
  ENOSPC: {
    what: 'there is no space left on the disk',
    advice: 'Free some space, and run the command again.',
    scope: 'machine',
  },
  EDQUOT: {
    what: 'the disk quota is used up',
    advice: 'Delete files or ask for a larger quota, and run the command again.',
    scope: 'machine',
  },
  EROFS: {
    what: 'the disk is read-only',
    advice: 'Make it writable, or choose a folder on another disk.',
    scope: 'machine',
  },
  EIO: {
    what: 'the disk reported an input or output error',
    advice: 'Check the disk and its connection, and run the command again.',
    scope: 'machine',
  },
  EMFILE: {
    what: 'this process has too many open files',
    advice: 'Raise the limit (`ulimit -n 4096`) or lower --concurrency, and run the command again.',
    scope: 'machine',
  },
  ENFILE: {
    what: 'this machine has too many open files',
    advice: 'End other programs or raise the limit of the system, and run the command again.',
    scope: 'machine',
  },
  ENOMEM: {
    what: 'there is not enough memory',
    advice: 'End other programs or lower --concurrency, and run the command again.',
    scope: 'machine',
  },
  EAGAIN: {
    what: 'the system is out of a resource at the moment',
    advice: 'Raise the limit of processes (`ulimit -u`) or end other programs, and run the command again.',
    scope: 'machine',
  },
  EACCES: {
    what: 'permission is denied',
    advice: 'Change its owner or permissions, or choose another folder.',
    scope: 'path',
  },
  EPERM: {
    what: 'the system does not permit it',
    advice: 'Check its owner, its attributes and the options of its file system, or choose another folder.',
    scope: 'path',
  },
  EBUSY: {
    what: 'it is in use',
    advice: 'End the program that uses it, and run the command again.',
    scope: 'path',
  },
  ETXTBSY: {
    what: 'it is being executed',
    advice: 'End the program that uses it, and run the command again.',
    scope: 'path',
  },
  EINTR: { what: 'a signal interrupted it', advice: 'Run the command again.', scope: 'path' },
  ESTALE: {
    what: 'the network file system has lost it',
    advice: 'Mount the file system again, and run the command again.',
    scope: 'machine',
  },
  ELOOP: {
    what: 'its symbolic links lead in a circle',
    advice: 'Remove or correct the symbolic links of the path.',
    scope: 'path',
  },
  ENAMETOOLONG: {
    what: 'its name or path is too long',
    advice: 'Use a shorter name, or a folder with a shorter path.',
    scope: 'path',
  },
  EFBIG: {
    what: 'the file is larger than allowed',
    advice: 'Raise the limit (`ulimit -f`) or use another file system, and run the command again.',
    scope: 'path',
  },
  // Of our own: see openRegular.
  ENOTREGULAR: {
    what: 'it is a pipe, socket or device, not a file',
    advice: 'Remove it, or put the file in its place, and run the command again.',
    scope: 'path',
  },
  ENOENT: { what: 'it does not exist', advice: checkPath, scope: 'none' },
  ENOTDIR: { what: 'a part of its path is not a folder', advice: checkPath, scope: 'none' },
  EISDIR: { what: 'it is a folder, not a file', advice: checkPath, scope: 'none' },
  EEXIST: { what: 'it already exists', advice: checkPath, scope: 'none' },
  ENOTEMPTY: { what: 'the folder is not empty', advice: checkPath, scope: 'none' },
  EXDEV: { what: 'it is on another file system', advice: checkPath, scope: 'none' },
  EMLINK: {
    what: 'the file system allows no further links',
    advice: 'Choose a folder on another file system.',
    scope: 'path',
  },
  ENOTSUP: {
    what: 'the file system does not support it',
    advice: 'Choose a folder on another file system.',
    scope: 'path',
  },
  ENXIO: { what: 'the device is missing', advice: checkPath, scope: 'path' },
  ENODEV: { what: 'the device is missing', advice: checkPath, scope: 'path' },
};

/** What a system call was to do, as the rest of "Cannot ...". */
const actions: Readonly<Record<string, string>> = {
  open: 'open',
  dlopen: 'load',
  read: 'read',
  stat: 'read',
  lstat: 'read',
  fstat: 'read',
  access: 'read',
  scandir: 'read the folder',
  opendir: 'read the folder',
  write: 'write',
  fsync: 'write',
  fdatasync: 'write',
  ftruncate: 'write',
  futime: 'write',
  utime: 'write',
  close: 'write',
  rename: 'write',
  copyfile: 'write',
  link: 'create',
  symlink: 'create',
  mkdir: 'create the folder',
  unlink: 'delete',
  rm: 'delete',
  rmdir: 'delete the folder',
};

/** An error of the operating system in words. */
export interface SystemError {
  readonly code: string;
  /** What failed, on which path, and why; without a final period. */
  readonly message: string;
  /** Why, alone. */
  readonly what: string;
  readonly advice: string;
  readonly scope: Scope;
}

type Thrown = Partial<NodeJS.ErrnoException & { readonly dest: string }> | null | undefined;

/** Node.js reports a folder that cannot be created as missing, for most of the reasons. */
const refusedFolder: Row = {
  what: 'the system refuses it, as it does on a disk that is read-only or over its quota',
  advice: 'Check the disk and the folder above it, and run the command again.',
  scope: 'machine',
};

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/** Node.js has no name for some numbers, such as that of EDQUOT. */
const codeOf = ({ code = '', errno }: Pick<NodeJS.ErrnoException, 'code' | 'errno'>): string =>
  Object.hasOwn(rows, code) || errno === undefined ? code : (names.get(-errno) ?? code);

const isInCache = (path: string): boolean => {
  try {
    return `${resolve(path)}${sep}`.startsWith(`${cacheFolder()}${sep}`);
  } catch (error) {
    if (error instanceof NoHome) return false;
    throw error;
  }
};

const otherCache = 'Or let UNROLL_CACHE name another folder for the cache.';

/** The words for an error that the operating system reported; undefined for every other error. */
export const systemErrorOf = (error: unknown): SystemError | undefined => {
  const { syscall = '', path, dest, ...thrown } = (error as Thrown) ?? {};
  const [call = ''] = syscall.split(' ');
  const code = codeOf(thrown);
  const row =
    call === 'mkdir' && code === 'ENOENT'
      ? refusedFolder
      : Object.hasOwn(rows, code)
        ? rows[code]
        : undefined;
  if (!row) return undefined;
  const { what, scope } = row;
  const subject = dest ?? path;
  const advice = subject !== undefined && isInCache(subject) ? `${row.advice} ${otherCache}` : row.advice;
  const action = call === 'spawn' ? 'start' : (actions[call] ?? 'use');
  const message = `Cannot ${action} ${subject ?? (call === 'spawn' ? 'a process' : 'a file')}: ${what}`;
  return { code, message, what, advice, scope };
};

/** An error, or the cause of one, that interrupts a run: nothing is wrong with the run, and it can be resumed once the cause is fixed. */
export const interruptionOf = (error: unknown): SystemError | undefined => {
  const found = systemErrorOf(error) ?? systemErrorOf((error as Partial<Error> | undefined)?.cause);
  return found?.scope === 'none' ? undefined : found;
};

/** Whether every run of a sweep would meet the error with this code. */
export const stopsEveryRun = (code: string | undefined): boolean =>
  code !== undefined && Object.hasOwn(rows, code) && rows[code]?.scope === 'machine';

/** What the dynamic linker reports in words only. Each passes, so the library must not count as missing or broken. */
const shortages: readonly (readonly [RegExp, string])[] = [
  [/too many open files in system/i, 'ENFILE'],
  [/too many open files/i, 'EMFILE'],
  [/cannot allocate|failed to map segment|out of memory/i, 'ENOMEM'],
  [/input\/output error/i, 'EIO'],
];

/** The passing cause of a library that cannot be loaded; undefined if the library itself is the cause. */
export const loadingShortage = (error: unknown, library: string): Error | undefined => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (systemErrorOf(error)?.scope === 'machine') return error as Error;
  if (code !== 'ERR_DLOPEN_FAILED') return undefined;
  const [, cause] = shortages.find(([words]) => words.test(message)) ?? [];
  return cause === undefined
    ? undefined
    : Object.assign(new Error(message), { code: cause, syscall: 'dlopen', path: library });
};

/** Calls a function on an open file, whose path the errors of system calls lack. */
export const onFile = <T>(path: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    throw named(error, path);
  }
};

/** An error with the path that a user knows. That of a folder has it already. */
export const named = (error: unknown, path: string, syscall?: string): unknown =>
  systemErrorOf(error) === undefined || (error as Thrown)?.syscall === 'mkdir'
    ? error
    : Object.assign(error as object, { path, dest: undefined, ...(syscall !== undefined && { syscall }) });

/** Calls a function whose failure must not hide another error, such as one that deletes a temporary file. */
export const ignoringSystemErrors = (action: () => void): void => {
  try {
    action();
  } catch (error) {
    if (systemErrorOf(error) === undefined) throw error;
  }
};
