import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePrebuilds } from '../../../src/tensorflow/install/make-prebuilds.ts';
import { fakePart } from '../../support/fake-part.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A part that calls functions of which newer systems have a second version, and `more`. */
const part = (more = '') =>
  fakePart(temporaryDirectory(), {
    name: 'tfjs_binding',
    required: true,
    source: `
      #include <condition_variable>
      #include <cstdlib>
      #include <dlfcn.h>
      #include <vector>
      #include <cmath>
      ${more}
      std::mutex lock;
      std::condition_variable ready;
      extern "C" void* find(const char* name) { return dlsym(dlopen(name, RTLD_LAZY | RTLD_NOLOAD), name); }
      extern "C" double use(size_t count, double x) {
        std::vector<double> values(count, __builtin_log(x));
        std::unique_lock<std::mutex> held(lock);
        ready.wait(held);
        return values[count - 1];
      }`,
  });

test('a prebuilt library has the same bytes each time, and needs only glibc 2.28', async () => {
  const folders = ['first', 'second'].map((name) => join(temporaryDirectory(), name));
  const source = part();
  for (const folder of folders)
    expect(await makePrebuilds(folder, process.arch, [source])).toMatchObject({ ok: true });
  const [first, second] = folders.map((folder) => readFileSync(join(folder, 'tfjs_binding.node')));
  expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
});

test('a library that needs a newer system is refused by the names of the versions', async () => {
  const folder = join(temporaryDirectory(), 'prebuilds');
  mkdirSync(folder);
  const made = await makePrebuilds(folder, process.arch, [
    part('extern "C" unsigned random_number() { return arc4random(); }'),
  ]);
  expect(made.ok ? '' : made.errors[0]?.message).toContain('tfjs_binding.node needs GLIBC_2.36');
});

// CI has no compiler for another processor family: this one is for machines that do.
test.skipIf(process.arch !== 'x64' || spawnSync('aarch64-linux-gnu-g++').error !== undefined)(
  'a library is compiled across for arm64, and names the libraries of TensorFlow that it needs',
  async () => {
    const folder = join(temporaryDirectory(), 'prebuilds');
    expect(await makePrebuilds(folder, 'arm64', [part()])).toMatchObject({ ok: true });
    const library = join(folder, 'tfjs_binding.node');
    const read = execFileSync('aarch64-linux-gnu-objdump', ['-p', library], { encoding: 'utf8' });
    expect(read).toContain('elf64-littleaarch64');
    expect(read).toMatch(/NEEDED +libtensorflow_cc\.so\.2/);
    expect(read).toContain('$ORIGIN/../../tensorflow-');
    expect(readdirSync(folder)).toEqual(['prebuilds.json', 'tfjs_binding.node']);
  },
);
