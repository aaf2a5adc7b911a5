import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Diagnostic, Result } from '../../diagnostic/diagnostic.ts';
import { isFolder, writeWhole } from '../../system/files.ts';
import { waitForLock, type Lock } from '../../system/lock.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { readInstallation, setupProblems, type Installation, damagedFile } from '../installation.ts';
import { readDigests, sha256Of } from './digests.ts';
import { libraryFile, provideLibrary } from './library.ts';
import { partKey, type NativePart } from './native-parts.ts';
import { copyPrebuild, findPrebuild } from './prebuild.ts';
import { setupFailure } from './problem.ts';
import { setupCommand } from './setup-command.ts';
import type { SetupRequest } from './setup-request.ts';
import { tensorflowFolder, tensorflowVersion } from './wheel.ts';

type Attempt = Pick<Installation, 'native' | 'parts' | 'problems'> & {
  readonly libraries: readonly string[];
};

/** Takes the parts that come with the package, and compiles the others; fails if a required one is missing. */
const provideNative = async (request: SetupRequest): Promise<Result<Attempt>> => {
  const { wheel, cache, env, sink } = request;
  if (wheel === undefined) {
    return setupFailure(
      `TensorFlow publishes no libraries for ${process.platform} on ${process.arch}`,
      'Linux on x86-64 or ARM64 has them; elsewhere WebAssembly is used.',
    );
  }
  const prebuilds = new Map(request.parts.map((part) => [part, findPrebuild(request.prebuilds, part)]));
  const { compilePart, compilerHelp, findCompiler } = await import('./compile.ts');
  const isWanting = request.parts.filter((part) => prebuilds.get(part) === undefined);
  const compiler = isWanting.length > 0 ? await findCompiler(env) : undefined;
  const noCompiler = setupFailure('No C++ compiler was found', compilerHelp);
  // Without one there is no need to download.
  if (compiler === undefined && isWanting.some(({ required }) => required)) return noCompiler;

  const { provideTensorFlow } = await import('./provide-tensorflow.ts');
  const tensorflow = tensorflowFolder(request.cache);
  const provided = await provideTensorFlow(wheel, tensorflow, request);
  if (!provided.ok) return provided;
  const libraries = wheel.libraries.map((file) => join(tensorflow, 'lib', file));

  const compile = async (part: NativePart): Promise<Result<string>> => {
    const found = compiler ?? (await findCompiler(env));
    if (found === undefined) return noCompiler;
    const place = libraryFile(cache, part, 'compiled');
    return provideLibrary(place, (output) => {
      sink.write(`compiling ${part.name} with ${found.command}\n`);
      return compilePart(part, { compiler: found, env, tensorflow, libraries }, { output, place });
    });
  };
  /** With a compiler, a damaged package or one whose library does not run here is no obstacle. */
  const provide = async (part: NativePart): Promise<Result<string>> => {
    const prebuild = prebuilds.get(part);
    if (prebuild === undefined) return compile(part);
    const copied = await provideLibrary(libraryFile(cache, part, 'prebuilt'), (output) =>
      copyPrebuild(request.prebuilds, prebuild, output),
    );
    if (copied.ok) return copied;
    const compiled = await compile(part);
    return compiled.ok ? compiled : copied;
  };
  const parts: Record<string, string> = {};
  const problems: Diagnostic[] = [];
  for (const part of request.parts) {
    const made = await provide(part);
    if (made.ok) parts[part.name] = made.value;
    else if (part.required) return made;
    else problems.push(...made.errors);
  }
  const proved = await request.prove(parts['tfjs_binding'] ?? '', env);
  if (!proved.ok) return proved;
  const isPrebuilt = request.parts.every((part) => parts[part.name] === libraryFile(cache, part, 'prebuilt'));
  return success({
    native: isPrebuilt ? 'prebuilt' : 'built',
    parts,
    libraries,
    problems: setupProblems(problems),
  });
};

/** Tries native TensorFlow; without it, WebAssembly is used. */
const attempt = async (request: SetupRequest): Promise<Attempt> => {
  const provided = await provideNative(request);
  if (provided.ok) return provided.value;
  return { native: 'none', parts: {}, libraries: [], problems: setupProblems(provided.errors) };
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

/** Raised whenever the set-up's record changes its form, so that an earlier one is made anew. */
const recordVersion = 2;

const setupKey = ({ parts, prebuilds, wheel, env }: SetupRequest): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        recordVersion,
        parts.map((part) => [part.name, partKey(part), findPrebuild(prebuilds, part)?.sha256 ?? null]),
        wheel,
        env['CXX'] ?? null,
      ]),
    )
    .digest('hex')
    .slice(0, 16);

/** What is in the place of a folder, or of one above it; undefined where nothing is known to be in the way. */
const obstacleOf = (folder: string): string | undefined => {
  if (isFolder(folder)) return undefined;
  try {
    const entry = lstatSync(folder);
    return `${folder} is ${entry.isSymbolicLink() ? 'a symbolic link that leads to no folder' : 'not a folder'}`;
  } catch {
    return dirname(folder) === folder ? undefined : obstacleOf(dirname(folder));
  }
};

const isBelow = (folder: string, path: string): boolean => `${path}${sep}`.startsWith(`${folder}${sep}`);

/** The outcome when the system refuses a step, mostly because of the cache. It is not recorded: there may be no place for it. */
const withoutCache = (request: SetupRequest, key: string, error: unknown): Installation => {
  const trouble = systemErrorOf(error);
  if (!trouble) throw error;
  const { cache } = request;
  const { path = cache } = error as NodeJS.ErrnoException;
  const isOfCache = isBelow(cache, path) || isBelow(path, cache);
  const message = isOfCache
    ? `The cache ${cache} cannot be written: ${obstacleOf(path) ?? trouble.what} (${trouble.code})`
    : trouble.message;
  const help = `${isOfCache ? 'Correct that, or name another folder in UNROLL_CACHE' : 'Correct that'}, then run \`${setupCommand}\` again.`;
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

const fileRecord = (request: SetupRequest, path: string): Installation['files'][number] => {
  const tensorflow = tensorflowFolder(request.cache);
  const folder = path.startsWith(join(tensorflow, sep)) ? tensorflow : dirname(path);
  const { size: bytes, mtimeMs: modifiedMs } = statSync(path);
  return { path, bytes, modifiedMs, sha256: readDigests(folder)?.[relative(folder, path)] ?? '' };
};

/** Decides again and records the decision. Only the holder of the cache's lock may call it. */
const decide = async (
  request: SetupRequest,
  key: string,
  earlier: Installation | undefined,
): Promise<Installation> => {
  await sweep(request.cache);
  const { libraries, ...outcome } = await attempt(request);
  const files = [...libraries, ...Object.values(outcome.parts)].map((path) => fileRecord(request, path));
  const provedBefore = earlier?.key === key && earlier.native === outcome.native ? earlier.provedOn : [];
  const installation: Installation = {
    ...outcome,
    files,
    key,
    provedOn: outcome.native === 'none' ? [] : [...provedBefore, process.versions.modules],
    decidedAt: Date.now(),
  };
  writeWhole(request.record, JSON.stringify(installation, null, 2));
  if (outcome.native !== 'none')
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
  const stillValid = async (installation: Installation | undefined): Promise<Installation | undefined> => {
    if (!isReady(installation, key)) return undefined;
    if (!request.retry) return installation;
    // Asked to retry, one with problems is valid only when another process has just decided it.
    const isNew = installation.decidedAt !== known?.decidedAt;
    if (installation.problems.length > 0 && !isNew) return undefined;
    return (await hasItsDigests(installation)) ? installation : undefined;
  };
  const valid = await stillValid(known);
  if (valid) return valid;
  try {
    const lock = await lockSetup(request);
    try {
      const latest = readInstallation(request.record);
      return (await stillValid(latest)) ?? (await decide(request, key, latest));
    } finally {
      lock.release();
    }
  } catch (error) {
    return withoutCache(request, key, error);
  }
};

/** The warning to print when an installation is slower than it could be; undefined when it is not. */
export const installationWarning = ({ native, problems }: Installation): string | undefined => {
  if (problems.length === 0) return undefined;
  const cost = {
    built: "Unroll's own kernels are not ready; TensorFlow's are used, which are slower.",
    prebuilt: 'A part of native TensorFlow is not ready.',
    none: 'Native TensorFlow is not ready. Unroll continues with WebAssembly, which trains about 50 times slower.',
  }[native];
  return [`warning: ${cost}`, ...problems.map(({ message, help }) => `  ${message}.\n    ${help}`)].join(
    '\n',
  );
};

/** A set-up that had to fall back is not tried again for this long, unless the user asks for it. */
const fallBackLastsMs = 60 * 60 * 1000;

/** Whether every file has the digest that was recorded. Takes a second; `isReady` compares large files by size and time. */
const hasItsDigests = async ({ files }: Installation): Promise<boolean> => {
  for (const { path, sha256 } of files) if ((await sha256Of(path)) !== sha256) return false;
  return true;
};

/** Whether an earlier decision is still valid: made for the same sources, every file there, proved in this Node. */
const isReady = (installation: Installation | undefined, key: string): installation is Installation => {
  if (installation?.key !== key || damagedFile(installation) !== undefined) return false;
  return installation.native === 'none'
    ? Date.now() - installation.decidedAt < fallBackLastsMs
    : installation.provedOn.includes(process.versions.modules);
};
