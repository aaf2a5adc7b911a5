import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { cacheFolder } from '../../system/cache-folder.ts';
import { runCommand } from '../../system/command.ts';
import { writeJson, ensureFolder } from '../../system/files.ts';
import { packageRoot } from '../../system/package-root.ts';
import { compilePart, compilerHelp, findCompiler, type Compiler } from './compile.ts';
import { isIntact, sha256Of } from './digests.ts';
import { libraryFile } from './library.ts';
import { nativeParts, partKey } from './native-parts.ts';
import type { NativePart } from './native-parts.ts';
import type { Prebuild } from './prebuild.ts';
import { setupFailure } from './problem.ts';
import { setupCommand } from './setup-command.ts';
import { tensorflowFolder, wheelFor } from './wheel.ts';

const portable = join(packageRoot, 'scripts', 'prebuild');

/** The newest versions of the system's libraries that a prebuilt library may need: Debian 10 and RHEL 8 have them. */
const newest: Readonly<Record<string, readonly number[]>> = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25] };

const isNewer = (version: readonly number[], than: readonly number[]): boolean => {
  const at = version.findIndex((part, index) => part !== (than[index] ?? 0));
  return at >= 0 && (version[at] ?? 0) > (than[at] ?? 0);
};

/** How the compilers of another processor family than this machine's are named. */
const foreignPrefix: Readonly<Record<string, string>> = {
  arm64: 'aarch64-linux-gnu-',
  x64: 'x86_64-linux-gnu-',
};

/** The programs that make libraries of a processor family. */
const toolsFor = async (
  arch: string,
): Promise<Result<{ readonly compiler: Compiler; readonly objdump: string }>> => {
  const prefix = arch === process.arch ? '' : foreignPrefix[arch];
  if (prefix === undefined) return setupFailure(`There is no compiler for ${arch}`, 'Use arm64 or x64.');
  const compiler = await findCompiler(prefix ? { ...process.env, CXX: `${prefix}g++` } : process.env);
  if (compiler === undefined || (prefix && compiler.command !== `${prefix}g++`))
    return setupFailure(
      prefix ? `${prefix}g++ was not found` : 'No C++ compiler was found',
      prefix ? `Install it (Debian: apt install g++-${prefix.slice(0, -1)}).` : compilerHelp,
    );
  return success({ compiler, objdump: `${prefix}objdump` });
};

/**
 * Empty libraries with the names of TensorFlow's, to link with for another processor family: only the names of the libraries
 * are recorded in what is linked with them.
 */
const makeStubs = async (
  folder: string,
  { command }: Compiler,
  libraries: readonly string[],
): Promise<Result<void>> => {
  ensureFolder(folder);
  for (const library of libraries) {
    const { code, output } = await runCommand(command, [
      ...['-shared', `-Wl,-soname,${library}`, '-o', join(folder, library)],
      ...['-x', 'c++', '/dev/null'],
    ]);
    if (code !== 0) return setupFailure(`${command} cannot link: ${output.trim()}`, compilerHelp);
  }
  return success(undefined);
};

/** The versions of the system's functions that a library needs and older systems lack, such as `GLIBC_2.34`. */
const tooNew = async (objdump: string, library: string): Promise<Result<string[]>> => {
  const { code, stdout } = await runCommand(objdump, ['-T', library]);
  if (code !== 0) return setupFailure(`${objdump} cannot read ${library}`, 'Install the package binutils.');
  const needed = [...stdout.matchAll(/\*UND\*.*\((GLIBC|GLIBCXX)_([\d.]+)\)/g)].filter(
    ([, name = '', version = '']) => isNewer(version.split('.').map(Number), newest[name] ?? []),
  );
  return success([...new Set(needed.map(([, name, version]) => `${name}_${version}`))]);
};

/**
 * Compiles the parts into `folder` with the table of their digests. The same sources and compiler give the same bytes.
 * Needs the set-up's TensorFlow in the cache. Those of another processor family are compiled across, with the same headers.
 */
export const makePrebuilds = async (
  folder: string,
  arch: string = process.arch,
  parts: readonly NativePart[] = nativeParts(arch),
): Promise<Result<void>> => {
  const wheel = wheelFor(process.platform, arch);
  const tensorflow = tensorflowFolder(cacheFolder());
  if (wheel === undefined || !(await isIntact(tensorflow)))
    return setupFailure(`${tensorflow} is missing or damaged`, `Run \`${setupCommand}\` first.`);
  const tools = await toolsFor(arch);
  if (!tools.ok) return tools;
  const { compiler, objdump } = tools.value;
  const libraries = join(tensorflowFolder(cacheFolder(), arch), 'lib');
  const scratch = `${folder}.${process.pid}.tmp`;
  ensureFolder(scratch);
  try {
    const stubs = join(scratch, 'stubs');
    if (arch !== process.arch) {
      const made = await makeStubs(stubs, compiler, wheel.libraries);
      if (!made.ok) return made;
    }
    const table: Record<string, Prebuild> = {};
    for (const part of parts) {
      const file = `${part.name}.node`;
      const output = join(scratch, file);
      const made = await compilePart(
        part,
        {
          compiler,
          env: process.env,
          tensorflow,
          libraries: wheel.libraries.map((library) => join(libraries, library)),
          portable: {
            compile: ['-include', join(portable, 'portable.h')],
            // The stubs have no function that is called, and must be named all the same.
            link: ['-Wl,-s', '-Wl,--no-as-needed', `-L${stubs}`],
            sources: [join(portable, 'portable.cc')],
          },
        },
        { output, place: libraryFile(cacheFolder(), part, 'prebuilt', arch) },
      );
      if (!made.ok) return made;
      const newer = await tooNew(objdump, output);
      if (!newer.ok) return newer;
      if (newer.value.length > 0)
        return setupFailure(`${file} needs ${newer.value.join(', ')}`, `Add its functions to ${portable}.`);
      const { size: bytes } = await stat(output);
      table[part.name] = { file, key: partKey(part, arch), bytes, sha256: await sha256Of(output) };
    }
    await rm(stubs, { recursive: true, force: true });
    writeJson(join(scratch, 'prebuilds.json'), table);
    await rm(folder, { recursive: true, force: true });
    await rename(scratch, folder);
    return success(undefined);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
