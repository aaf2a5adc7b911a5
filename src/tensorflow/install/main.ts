import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Diagnostic, Result } from '../../diagnostic/diagnostic.ts';
import { writeWhole } from '../../system/files.ts';
import { waitForLock, type Lock } from '../../system/lock.ts';
import { readInstallation, setupProblems, type Installation } from '../installation.ts';
import { partKey } from './native-parts.ts';
import { setupFailure } from './problem.ts';
import { isReady, linkAddon, removeDamaged } from './ready.ts';
import { setupCommand } from './setup-command.ts';
import type { SetupRequest } from './setup-request.ts';
import { tensorflowVersion } from './wheel.ts';

type Attempt = Pick<Installation, 'native' | 'parts' | 'problems'> & {
  readonly libraries: readonly string[];
};

const tensorflowFolder = ({ cache }: SetupRequest): string =>
  join(cache, `tensorflow-${tensorflowVersion}-${process.platform}-${process.arch}`);

/** Builds the parts against the wheel's libraries; fails if a required one cannot be built. */
const buildNative = async (request: SetupRequest): Promise<Result<Attempt>> => {
  const { wheel, cache, env } = request;
  if (wheel === undefined) {
    return setupFailure(
      `TensorFlow publishes no libraries to build against for ${process.platform} on ${process.arch}`,
      'Linux on x86-64 or ARM64 has them; elsewhere the prebuilt addon or WebAssembly is used.',
    );
  }
  const { compiledFile, compilePart, compilerHelp, findCompiler } = await import('./compile.ts');
  const compiler = await findCompiler(env);
  if (compiler === undefined) return setupFailure('No C++ compiler was found', compilerHelp);
  const { provideTensorFlow } = await import('./provide-tensorflow.ts');
  const tensorflow = tensorflowFolder(request);
  const provided = await provideTensorFlow(wheel, tensorflow, request);
  if (!provided.ok) return provided;

  const libraries = wheel.libraries.map((file) => join(tensorflow, 'lib', file));
  const parts: Record<string, string> = {};
  const problems: Diagnostic[] = [];
  for (const part of request.parts) {
    if (!existsSync(compiledFile(cache, part)))
      request.sink.write(`compiling ${part.name} with ${compiler.command}\n`);
    const compiled = await compilePart(part, { compiler, cache, env, tensorflow, libraries });
    if (compiled.ok) parts[part.name] = compiled.value;
    else if (part.required) return compiled;
    else problems.push(...compiled.errors);
  }
  const proved = await request.prove(parts['tfjs_binding'] ?? '', env);
  if (!proved.ok) return proved;
  return success({ native: 'built', parts, libraries, problems: setupProblems(problems) });
};

/** Tries our build, then tfjs-node's prebuilt addon, then nothing native. Returns the problems of those that failed. */
const attempt = async (request: SetupRequest): Promise<Attempt> => {
  const built = await buildNative(request);
  if (built.ok) return built.value;
  request.sink.write(`${built.errors[0]?.message ?? ''}; trying tfjs-node's own prebuilt addon\n`);
  const prebuilt = await request.installPrebuilt(request.env);
  const proved = prebuilt.ok ? await request.prove(prebuilt.value, request.env) : prebuilt;
  if (prebuilt.ok && proved.ok) {
    const parts = { tfjs_binding: prebuilt.value };
    return { native: 'prebuilt', parts, libraries: [], problems: setupProblems(built.errors) };
  }
  const errors = [...built.errors, ...(proved.ok ? [] : proved.errors)];
  return { native: 'none', parts: {}, libraries: [], problems: setupProblems(errors) };
};

/** Removes the unfinished files of killed set-ups. Only the holder of the lock may call it. */
const sweep = async (cache: string): Promise<void> => {
  for (const folder of [cache, join(cache, 'native')]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.tmp')) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
};

const setupKey = ({ parts, wheel, env }: SetupRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([parts.map((part) => [part.name, partKey(part)]), wheel, env['CXX'] ?? null]))
    .digest('hex')
    .slice(0, 16);

const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'];

/** The outcome when the cache itself cannot be used. It is not recorded: there is no place for it. */
const withoutCache = (request: SetupRequest, key: string, error: unknown): Installation => {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || !unwritable.includes(code)) throw error;
  const message = `${path ?? request.cache} cannot be written (${code})`;
  const help = `Name a folder that can be written in UNROLL_CACHE, then run \`${setupCommand}\` again.`;
  return {
    native: 'none',
    parts: {},
    problems: [{ message, help }],
    files: [],
    key,
    provedOn: [],
    decidedAt: Date.now(),
  };
};

/** Decides again and records the decision. Only the holder of the cache's lock may call it. */
const decide = async (
  request: SetupRequest,
  key: string,
  earlier: Installation | undefined,
): Promise<Installation> => {
  await sweep(request.cache);
  await removeDamaged(earlier);
  const { libraries, ...outcome } = await attempt(request);
  const files = [...libraries, ...Object.values(outcome.parts)].map((path) => ({
    path,
    bytes: statSync(path).size,
  }));
  const provedBefore = earlier?.key === key && earlier.native === outcome.native ? earlier.provedOn : [];
  const installation: Installation = {
    ...outcome,
    files,
    key,
    provedOn: outcome.native === 'none' ? [] : [...provedBefore, process.versions.modules],
    decidedAt: Date.now(),
  };
  writeWhole(request.record, JSON.stringify(installation, null, 2));
  if (outcome.native === 'built')
    request.sink.write(`native TensorFlow ${tensorflowVersion} is ready in ${request.cache}\n`);
  return installation;
};

/** A cache may be shared by machines, which cannot check each other's processes. */
const setupLeaseMs = 60_000;

/** Waits until no other process sets up TensorFlow in this cache. */
const lockSetup = ({ cache, sink }: SetupRequest): Promise<Lock> =>
  waitForLock(join(cache, 'setup.lock'), {
    leaseMs: setupLeaseMs,
    everyMs: 200,
    onWait: ({ pid }) => sink.write(`waiting for another set-up (process ${pid})\n`),
  });

/**
 * Makes native TensorFlow ready for this folder of Unroll, or returns what is missing. If everything is there, it only
 * checks. It may be interrupted at any point and called again, also by several processes at once.
 */
export const setUp = async (request: SetupRequest): Promise<Installation> => {
  const key = setupKey(request);
  const known = readInstallation(request.record);
  const stands = (installation: Installation | undefined): installation is Installation => {
    if (!isReady(installation, key)) return false;
    // Asked to retry, one with problems is valid only when another process has just decided it.
    const isNew = installation.decidedAt !== known?.decidedAt;
    return !request.retry || installation.problems.length === 0 || isNew;
  };
  let installation = known;
  if (!stands(installation)) {
    try {
      const lock = await lockSetup(request);
      try {
        const latest = readInstallation(request.record);
        installation = stands(latest) ? latest : await decide(request, key, latest);
      } finally {
        lock.release();
      }
    } catch (error) {
      return withoutCache(request, key, error);
    }
  }
  const addon = installation.parts['tfjs_binding'];
  if (installation.native === 'built' && addon !== undefined) await linkAddon(addon, request.link);
  return installation;
};

/** The warning to print when an installation is slower than it could be; undefined when it is not. */
export const installationWarning = ({ native, problems }: Installation): string | undefined => {
  if (problems.length === 0) return undefined;
  const cost = {
    built: "Unroll's own kernels are not built; TensorFlow's are used, which are slower.",
    prebuilt: "TensorFlow is tfjs-node's prebuilt 2.9.1, which is slower than a build against a modern one.",
    none: 'Native TensorFlow is not ready. Unroll continues with WebAssembly, which trains about 50 times slower.',
  }[native];
  return [`warning: ${cost}`, ...problems.map(({ message, help }) => `  ${message}.\n    ${help}`)].join(
    '\n',
  );
};
