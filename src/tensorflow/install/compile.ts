import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { runCommand } from '../../system/command.ts';
import { partKey } from './native-parts.ts';
import type { NativePart } from './native-parts.ts';
import { setupFailure } from './problem.ts';
import { setupCommand } from './setup-command.ts';

/** A C++ compiler as a command and its first arguments: `CXX` may be `ccache g++`. */
export interface Compiler {
  readonly command: string;
  readonly args: readonly string[];
  /** The first line of its `--version`. */
  readonly version: string;
}

/** How to get a compiler, for messages. */
export const compilerHelp =
  process.platform === 'darwin'
    ? `Install one with \`xcode-select --install\`, then run \`${setupCommand}\` again.`
    : 'Install one (Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`) or name it in CXX, ' +
      `then run \`${setupCommand}\` again.`;

/** The C++ compiler: `$CXX`, g++, c++ or clang++, the first that answers. */
export const findCompiler = async (env: NodeJS.ProcessEnv = process.env): Promise<Compiler | undefined> => {
  for (const words of [env['CXX'] ?? '', 'g++', 'c++', 'clang++']) {
    const [command, ...args] = words.trim().split(/\s+/);
    if (!command) continue;
    const { code, stdout } = await runCommand(command, [...args, '--version'], { env, timeoutMs: 10_000 });
    if (code === 0) return { command, args, version: stdout.split('\n')[0] ?? '' };
  }
  return undefined;
};

/** Returns the path of a part's compiled library in the cache. */
export const compiledFile = (cache: string, part: NativePart): string =>
  join(cache, 'native', `${part.name}-${partKey(part)}`, `${part.name}.node`);

/** Links against the libraries by a path relative to the output, so that the whole cache may be moved. */
const linkFlags = (output: string, libraries: readonly string[]): string[] => {
  const folder = dirname(libraries[0] ?? '');
  const from = relative(dirname(output), folder);
  return process.platform === 'darwin'
    ? ['-undefined', 'dynamic_lookup', ...libraries, `-Wl,-rpath,@loader_path/${from}`]
    : [
        `-L${folder}`,
        ...libraries.map((library) => `-l:${basename(library)}`),
        `-Wl,-rpath,$ORIGIN/${from}`,
        '-pthread',
      ];
};

/**
 * Compiles a part into the cache and returns its file, which appears whole or not at all. A file that is already there
 * is kept. `tensorflow` is an unpacked wheel's folder. Fails with the compiler's first error.
 */
export const compilePart = async (
  part: NativePart,
  build: {
    readonly compiler: Compiler;
    readonly cache: string;
    readonly tensorflow: string;
    readonly libraries: readonly string[];
    readonly env: NodeJS.ProcessEnv;
  },
): Promise<Result<string>> => {
  const { compiler, env } = build;
  const file = compiledFile(build.cache, part);
  if (existsSync(file)) return success(file);
  const folder = dirname(file);
  const temporary = `${folder}.${randomUUID()}.tmp`;
  const run = async (args: readonly string[]): Promise<Result<void>> => {
    const { code, output } = await runCommand(compiler.command, [...compiler.args, ...args], { env });
    if (code === 0) return success(undefined);
    const log = `${folder}.log`;
    await writeFile(log, output);
    const first = /^.*\b(?:error|cannot|undefined).*$/im.exec(output)?.[0] ?? output.trim().split('\n')[0];
    return setupFailure(
      `${compiler.command} cannot build ${part.name}: ${first ?? 'it was stopped'}`,
      `The compiler's whole output is in ${log}. Fix the errors it shows, then run \`${setupCommand}\` again.`,
    );
  };
  await mkdir(temporary, { recursive: true });
  try {
    const includes = [join(build.tensorflow, 'include'), ...part.includes].map((path) => `-I${path}`);
    const objects = part.sources.map(({ file: source }) => join(temporary, `${source}.o`));
    const compiled = await Promise.all(
      part.sources.map((source, index) =>
        run([
          ...part.flags,
          ...source.flags,
          ...includes,
          '-c',
          join(part.folder, source.file),
          '-o',
          objects[index] ?? '',
        ]),
      ),
    );
    const failed = compiled.find((outcome) => !outcome.ok);
    if (failed) return failed;
    const output = join(temporary, basename(file));
    const linked = await run([
      '-shared',
      ...part.flags,
      ...objects,
      '-o',
      output,
      ...linkFlags(file, build.libraries),
    ]);
    if (!linked.ok) return linked;
    await mkdir(folder, { recursive: true });
    await rename(output, file);
    return success(file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};
