import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readRegular } from '../../system/files.ts';
import { packageRoot } from '../../system/package-root.ts';
import { tensorflowVersion } from './wheel.ts';

/** One shared library that the set-up compiles against TensorFlow's headers. */
export interface NativePart {
  readonly name: string;
  /** The folder of its sources and private headers. Every `.cc` and `.h` in it is part of the compiled file's key. */
  readonly folder: string;
  readonly sources: readonly { readonly file: string; readonly flags: readonly string[] }[];
  readonly flags: readonly string[];
  readonly includes: readonly string[];
  /** Whether it is linked with TensorFlow's libraries, which load with it. */
  readonly linked: boolean;
  /** Without a required part there is no native back end; without another one TensorFlow's own kernels are used. */
  readonly required: boolean;
}

const require = createRequire(import.meta.url);

/** The folder of an installed package. */
export const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

const commonFlags = ['-std=c++17', '-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=8'];

/** tfjs-node's addon. The build copies its C++ sources from its npm package. */
const tfjsBinding = (): NativePart => ({
  name: 'tfjs_binding',
  folder: join(packageRoot, 'dist', 'tfjs-node'),
  sources: ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => ({ file, flags: [] })),
  flags: ['-O2', ...commonFlags],
  includes: [join(packageFolder('node-api-headers'), 'include')],
  linked: true,
  required: true,
});

/** The flags of a compiler by instruction set, of each processor family. */
const instructionSets: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  x64: {
    avx2: ['-mavx2', '-mfma'],
    avx512: ['-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma'],
    avx512bf16: ['-mavx512bf16', '-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma'],
  },
  arm64: { neon: [] },
};

/** A source named for an instruction set is compiled for it; the library itself asks the processor before using it. */
const flagsOf = (file: string, arch: string): readonly string[] | undefined => {
  const set = /-(avx2|avx512|avx512bf16|neon)\.cc$/.exec(file)?.[1];
  return set === undefined ? [] : instructionSets[arch]?.[set];
};

/** Unroll's own kernels, from `native/`. */
export const unrollKernels = (arch: string = process.arch): NativePart => {
  const folder = join(packageRoot, 'native');
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.cc')) : [];
  return {
    name: 'unroll_kernels',
    folder,
    sources: files.sort().flatMap((file) => {
      const flags = flagsOf(file, arch);
      return flags ? [{ file, flags }] : [];
    }),
    // Products are added without rounding in between on every compiler.
    flags: ['-O3', '-ffp-contract=fast', ...commonFlags],
    includes: [join(packageFolder('node-api-headers'), 'include')],
    // It finds the functions of a loaded TensorFlow itself: `predict` does without.
    linked: false,
    required: false,
  };
};

/** What the set-up compiles, in this order. */
export const nativeParts = (arch: string = process.arch): readonly NativePart[] =>
  [tfjsBinding(), unrollKernels(arch)].filter((part) => part.sources.length > 0);

/**
 * 16 hex digits, a hash of everything that decides a part's compiled file: sources, flags, TensorFlow's version,
 * system and processor family. The compiler is not part of it: the results of two compilers are interchangeable
 * through C.
 */
export const partKey = (part: NativePart, arch: string = process.arch): string => {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([
      part.sources,
      part.flags,
      ...(part.linked ? [] : ['unlinked']),
      tensorflowVersion,
      process.platform,
      arch,
    ]),
  );
  for (const file of readdirSync(part.folder).sort()) {
    if (/\.(cc|h)$/.test(file)) hash.update(`${file}\0`).update(readRegular(join(part.folder, file)));
  }
  return hash.digest('hex').slice(0, 16);
};
