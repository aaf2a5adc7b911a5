import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  copyRegular,
  endlessFile,
  readRegular,
  streamOf,
  writeBeside,
  ensureFolder,
} from '../../system/files.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { type Answer, problem } from './problem.ts';
import { isLoopback } from './server-access.ts';
import { listOf, numberOf, textOf } from './read-answer.ts';
import type { Transport } from './transport.ts';

interface ArtifactEntry {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly size: number;
}

/** A run on the server, and where the server keeps its files. */
interface FileOwner {
  readonly runId: string;
  readonly artifactUri: string;
}

/** What is uploaded: a file, streamed, or bytes at hand. */
export type ArtifactContent = { readonly file: string } | { readonly bytes: Buffer };

export interface ArtifactCalls {
  /** Whether files of a run can be stored: through the server, or in a folder of this machine that the server reads, too. */
  readonly canStoreFiles: (owner: FileOwner) => Promise<Answer<boolean>>;
  /** Replaces what is there; the server keeps the old content until the new one is whole. `root`: a run's artifact URI. */
  readonly uploadArtifact: (
    root: string,
    path: string,
    content: ArtifactContent,
  ) => Promise<Answer<undefined>>;
  /** The entries of one folder of a run's artifacts. */
  readonly listArtifacts: (runId: string, folder?: string) => Promise<Answer<readonly ArtifactEntry[]>>;
  readonly downloadArtifact: (root: string, path: string) => Promise<Answer<Buffer>>;
}

/** What is wrong with the path of an artifact inside its run, or nothing. */
const artifactPathProblem = (path: string): string | undefined => {
  if (path === '' || path.startsWith('/') || path.endsWith('/')) return 'it must name a file below the run';
  // URL parsing would silently climb or drop these.
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'it is not a clean path';
  if (/[#?\\\x00-\x1f]/.test(path)) return 'it has a character that the server refuses';
  return undefined;
};

type Store =
  /** The server passes files on; the path is below its own address. */
  | { readonly kind: 'proxied'; readonly path: string }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'unreachable' };

/**
 * Where a root such as `mlflow-artifacts:/4/<run>/artifacts` or `/srv/artifacts/4/<run>/artifacts` is. Only a server on this
 * machine may name a folder to write to.
 */
const storeOf = (root: string, serverUri: string): Store => {
  const path = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(root)?.[1];
  if (path !== undefined) return { kind: 'proxied', path };
  if (!isLoopback(serverUri)) return { kind: 'unreachable' };
  if (isAbsolute(root)) return { kind: 'folder', folder: root };
  try {
    return root.startsWith('file:')
      ? { kind: 'folder', folder: fileURLToPath(root) }
      : { kind: 'unreachable' };
  } catch {
    return { kind: 'unreachable' };
  }
};

const placeOf = (
  root: string,
  path: string,
  serverUri: string,
): Answer<Exclude<Store, { kind: 'unreachable' }>> => {
  const wrong = artifactPathProblem(path);
  if (wrong !== undefined) return problem('invalid', `The artifact "${path}" was not sent: ${wrong}.`);
  const store = storeOf(root, serverUri);
  switch (store.kind) {
    case 'unreachable':
      return problem('refused', `The server keeps artifacts in ${root}, which it does not pass on.`, {
        help: 'Start it with --serve-artifacts (its default) and --artifacts-destination, so that artifacts go through it.',
      });
    case 'folder':
      return success({ kind: 'folder', folder: join(store.folder, ...path.split('/')) });
    case 'proxied': {
      const parts = [...store.path.split('/').filter(Boolean), ...path.split('/')];
      const encoded = parts.map(encodeURIComponent).join('/');
      return success({ kind: 'proxied', path: `/api/2.0/mlflow-artifacts/artifacts/${encoded}` });
    }
  }
};

const storeInFolder = async (path: string, content: ArtifactContent): Promise<void> => {
  ensureFolder(dirname(path));
  await writeBeside(path, (beside) =>
    'bytes' in content ? writeFile(beside, content.bytes) : copyRegular(content.file, beside),
  );
};

const listRunArtifacts = async (
  transport: Transport,
  runId: string,
  folder?: string,
): Promise<Answer<readonly ArtifactEntry[]>> => {
  const found = await transport.json({
    method: 'GET',
    path: '/api/2.0/mlflow/artifacts/list',
    query: { run_id: runId, path: folder },
    what: 'list artifacts',
    repeatable: true,
  });
  if (!found.ok) return found;
  return success(
    listOf(found.value['files']).map(({ path, is_dir: isDirectory, file_size: size }) => ({
      path: textOf(path),
      isDirectory: isDirectory === true,
      size: numberOf(size),
    })),
  );
};

/**
 * Whether the server finds what is written to a folder of this machine: in a container, or through a tunnel, the same path
 * may be another folder. Leaves nothing behind if it does not.
 */
const sharesFolder = async (
  transport: Transport,
  { runId, folder }: { readonly runId: string; readonly folder: string },
): Promise<Answer<boolean>> => {
  const name = `unroll-${randomUUID()}.tmp`;
  let made: string | undefined;
  let shared: Answer<boolean> = success(false);
  try {
    made = ensureFolder(folder);
    await writeFile(join(folder, name), '');
    const listed = await listRunArtifacts(transport, runId);
    shared = listed.ok ? success(listed.value.some(({ path }) => path === name)) : listed;
  } catch {
    // No right to write there.
  }
  await rm(join(folder, name), { force: true }).catch(() => undefined);
  if (made !== undefined && !(shared.ok && shared.value))
    await rm(made, { recursive: true, force: true }).catch(() => undefined);
  return shared;
};

export const artifactCalls = (transport: Transport, serverUri: string): ArtifactCalls => ({
  canStoreFiles: async ({ runId, artifactUri }) => {
    const store = storeOf(artifactUri, serverUri);
    switch (store.kind) {
      case 'proxied':
        return success(true);
      case 'unreachable':
        return success(false);
      case 'folder':
        return sharesFolder(transport, { runId, folder: store.folder });
    }
  },

  uploadArtifact: async (root, path, content) => {
    const target = placeOf(root, path, serverUri);
    if (!target.ok) return target;
    if (target.value.kind === 'folder') {
      try {
        await storeInFolder(target.value.folder, content);
        return success(undefined);
      } catch (error) {
        const trouble = systemErrorOf(error);
        if (!trouble) throw error;
        return problem('refused', `${trouble.message}.`, { help: trouble.advice });
      }
    }
    const endless = 'file' in content ? endlessFile(content.file) : undefined;
    if (endless !== undefined) return problem('invalid', `The artifact "${path}" is ${endless}, not a file.`);
    const size = 'bytes' in content ? content.bytes.length : fileSize(content.file);
    if (size === undefined) return problem('invalid', `The artifact "${path}" no longer exists on disk.`);
    const sent = await transport.bytes({
      method: 'PUT',
      path: target.value.path,
      // Only as many bytes as were announced: a log may grow meanwhile.
      upload: {
        size,
        open: () =>
          'bytes' in content || size === 0
            ? 'bytes' in content
              ? content.bytes
              : Buffer.alloc(0)
            : streamOf(content.file, { end: size - 1 }),
      },
      what: `store the artifact "${path}"`,
      repeatable: true,
    });
    return sent.ok ? success(undefined) : sent;
  },

  listArtifacts: (runId, folder) => listRunArtifacts(transport, runId, folder),

  downloadArtifact: async (root, path) => {
    const source = placeOf(root, path, serverUri);
    if (!source.ok) return source;
    if (source.value.kind === 'folder') {
      try {
        return success(readRegular(source.value.folder));
      } catch (error) {
        const trouble = systemErrorOf(error);
        if (!trouble) throw error;
        return problem('not-found', `${trouble.message}.`, { help: trouble.advice });
      }
    }
    return transport.bytes({
      method: 'GET',
      path: source.value.path,
      what: `read the artifact "${path}"`,
      repeatable: true,
    });
  },
});

const fileSize = (path: string): number | undefined => {
  try {
    return statSync(path).size;
  } catch {
    return undefined;
  }
};
