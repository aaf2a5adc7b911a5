// Compiles the kernels of `native/` with a program that compares each with its plain reference, and runs it:
// `node scripts/test-native.mjs [--sanitize] [--arm64]`. Warnings are errors here, and only here: an unknown compiler's warning
// must not break an installation. `--sanitize` adds the address and undefined-behaviour sanitizers, which take minutes to compile.
// `--arm64` compiles for arm64 and runs the program under qemu (Debian: g++-aarch64-linux-gnu and qemu-user).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../native', import.meta.url));
const sanitize = process.argv.includes('--sanitize');
const arch = process.argv.includes('--arm64') ? 'arm64' : process.arch;
const isForeign = arch !== process.arch;
const compiler = isForeign ? 'aarch64-linux-gnu-g++' : (process.env.CXX ?? 'g++');

const flags = ['-std=c++17', '-O1', '-ffp-contract=fast', '-Wall', '-Wextra', '-Werror'];
if (sanitize) flags.push('-fsanitize=address,undefined', '-fno-sanitize-recover=all');

const kernels = {
  x64: [
    { file: 'kernels-avx2.cc', flags: ['-mavx2', '-mfma'] },
    {
      file: 'kernels-avx512.cc',
      flags: ['-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma'],
    },
    { file: 'bfloat16-avx2.cc', flags: ['-mavx2', '-mfma'] },
    {
      file: 'bfloat16-avx512bf16.cc',
      flags: ['-mavx512bf16', '-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma'],
    },
    { file: 'tiles-avx2.cc', flags: ['-mavx2', '-mfma'] },
    {
      file: 'tiles-avx512bf16.cc',
      flags: ['-mavx512bf16', '-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma'],
    },
  ],
  arm64: [
    { file: 'kernels-neon.cc', flags: [] },
    { file: 'bfloat16-neon.cc', flags: [] },
    { file: 'tiles-neon.cc', flags: [] },
  ],
};

const sources = [
  ...(kernels[arch] ?? []),
  { file: 'parallel.cc', flags: [] },
  { file: 'processor.cc', flags: [] },
  { file: 'test/kernels-test.cc', flags: [] },
];

/** Runs a program to its end; its output goes through. */
const run = (program, words) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}.`)),
    );
  });

const scratch = mkdtempSync(join(tmpdir(), 'unroll-native-'));
try {
  if (kernels[arch] === undefined) {
    console.log('The kernels are for x86-64 and arm64: nothing to test here.');
  } else {
    const objects = sources.map(({ file }) => join(scratch, `${basename(file, '.cc')}.o`));
    await Promise.all(
      sources.map((source, index) =>
        run(compiler, [...flags, ...source.flags, '-c', join(native, source.file), '-o', objects[index]]),
      ),
    );
    const program = join(scratch, 'kernels-test');
    await run(compiler, [...flags, ...objects, '-pthread', '-o', program]);
    if (isForeign) await run('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', program]);
    else await run(program, []);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
