import { createReadStream, statSync } from 'node:fs';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';
import type { Transport } from './transport.ts';

interface ArtifactEntry {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly size: number;
}

/** What is uploaded: a file, streamed, or bytes at hand. */
export type ArtifactContent = { readonly file: string } | { readonly bytes: Buffer };

export interface ArtifactCalls {
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

/** The address below the server's artifact proxy, for roots such as `mlflow-artifacts:/4/<run>/artifacts`. */
const proxyPath = (root: string, path: string): Answer<string> => {
  const wrong = artifactPathProblem(path);
  if (wrong !== undefined) return problem('invalid', `The artifact "${path}" was not sent: ${wrong}.`);
  const base = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(root)?.[1];
  if (base === undefined)
    return problem('refused', `The server keeps artifacts in ${root}, which it does not pass on.`, {
      help: 'Start it with --serve-artifacts (its default) and --artifacts-destination, so that artifacts go through it.',
    });
  const encoded = [...base.split('/').filter(Boolean), ...path.split('/')].map(encodeURIComponent).join('/');
  return success(`/api/2.0/mlflow-artifacts/artifacts/${encoded}`);
};

export const artifactCalls = (transport: Transport): ArtifactCalls => ({
  uploadArtifact: async (root, path, content) => {
    const target = proxyPath(root, path);
    if (!target.ok) return target;
    const size = 'bytes' in content ? content.bytes.length : fileSize(content.file);
    if (size === undefined) return problem('invalid', `The artifact "${path}" no longer exists on disk.`);
    const sent = await transport.bytes({
      method: 'PUT',
      path: target.value,
      // Only as many bytes as were announced: a log may grow meanwhile.
      upload: {
        size,
        open: () =>
          'bytes' in content || size === 0
            ? 'bytes' in content
              ? content.bytes
              : Buffer.alloc(0)
            : createReadStream(content.file, { end: size - 1 }),
      },
      what: `store the artifact "${path}"`,
      repeatable: true,
    });
    return sent.ok ? success(undefined) : sent;
  },

  listArtifacts: async (runId, folder) => {
    const found = await transport.json({
      method: 'GET',
      path: '/api/2.0/mlflow/artifacts/list',
      query: { run_id: runId, path: folder },
      what: 'list artifacts',
      repeatable: true,
    });
    if (!found.ok) return found;
    const files = (found.value['files'] ?? []) as readonly {
      readonly path?: string;
      readonly is_dir?: boolean;
      readonly file_size?: number | string;
    }[];
    return success(
      files.map(({ path = '', is_dir: isDirectory = false, file_size: size = 0 }) => ({
        path,
        isDirectory,
        size: Number(size),
      })),
    );
  },

  downloadArtifact: async (root, path) => {
    const source = proxyPath(root, path);
    if (!source.ok) return source;
    return transport.bytes({
      method: 'GET',
      path: source.value,
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
