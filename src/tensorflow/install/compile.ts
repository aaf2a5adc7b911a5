import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { runCommand } from '../../system/command.ts';
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

/** Links against the libraries by a path relative to the library's place, so that the whole cache may be moved. */
const linkFlags = (place: string, libraries: readonly string[]): string[] => {
  if (libraries.length === 0)
    return process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-pthread', '-ldl'];
  const folder = dirname(libraries[0] ?? '');
  const from = relative(dirname(place), folder);
  return process.platform === 'darwin'
    ? ['-undefined', 'dynamic_lookup', ...libraries, `-Wl,-rpath,@loader_path/${from}`]
    : [
        `-L${folder}`,
        ...libraries.map((library) => `-l:${basename(library)}`),
        `-Wl,-rpath,$ORIGIN/${from}`,
        '-pthread',
      ];
};

/** What a part is compiled with. */
export interface Build {
  readonly compiler: Compiler;
  readonly env: NodeJS.ProcessEnv;
  /** An unpacked wheel's folder. */
  readonly tensorflow: string;
  /** The wheel's libraries. */
  readonly libraries: readonly string[];
  /** Added to the part's own, for a library that must run elsewhere, too. */
  readonly portable?: {
    readonly compile: readonly string[];
    readonly link: readonly string[];
    readonly sources: readonly string[];
  };
}

/**
 * Compiles a part to `output`, which is moved to `place` afterwards. The output's folder takes the object files. Fails
 * with the compiler's first error.
 */
export const compilePart = async (
  part: NativePart,
  build: Build,
  { output, place }: { readonly output: string; readonly place: string },
): Promise<Result<void>> => {
  const { compiler, env, portable } = build;
  const run = async (args: readonly string[]): Promise<Result<void>> => {
    const { code, output: printed } = await runCommand(compiler.command, [...compiler.args, ...args], {
      env,
    });
    if (code === 0) return success(undefined);
    const log = `${dirname(place)}.log`;
    await writeFile(log, printed);
    const first = /^.*\b(?:error|cannot|undefined).*$/im.exec(printed)?.[0] ?? printed.trim().split('\n')[0];
    return setupFailure(
      `${compiler.command} cannot build ${part.name}: ${first ?? 'it was stopped'}`,
      `The compiler's whole output is in ${log}. Fix the errors it shows, then run \`${setupCommand}\` again.`,
    );
  };
  const flags = [...part.flags, ...(portable?.compile ?? [])];
  const includes = [join(build.tensorflow, 'include'), ...part.includes].map((path) => `-I${path}`);
  const sources = [
    ...part.sources.map((source) => ({ path: join(part.folder, source.file), flags: source.flags })),
    ...(portable?.sources ?? []).map((path) => ({ path, flags: [] })),
  ].map((source) => ({ ...source, object: join(dirname(output), `${basename(source.path)}.o`) }));
  const compiled = await Promise.all(
    sources.map(({ path, flags: own, object }) =>
      run([...flags, ...own, ...includes, '-c', path, '-o', object]),
    ),
  );
  const failed = compiled.find((outcome) => !outcome.ok);
  if (failed) return failed;
  const objects = sources.map(({ object }) => object);
  const linked = await run([
    '-shared',
    ...part.flags,
    ...(portable?.link ?? []),
    ...objects,
    '-o',
    output,
    ...linkFlags(place, part.linked ? build.libraries : []),
  ]);
  if (linked.ok) await Promise.all(objects.map((object) => rm(object)));
  return linked;
};
