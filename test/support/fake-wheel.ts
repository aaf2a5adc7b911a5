import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Wheel } from '../../src/tensorflow/install/wheel.ts';
import { seededBytes } from './seed.ts';

/** A zip archive of uncompressed entries. */
const zip = (entries: Readonly<Record<string, Buffer>>): Buffer => {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const file = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(file.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, file, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, file);
    local.push(head);
    offset += head.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(local.length, 8);
  end.writeUInt16LE(local.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
};

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

const compileLibrary = (source: string, name: string): Buffer => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-library-'));
  try {
    writeFileSync(join(folder, 'library.cc'), source);
    execFileSync(
      process.env['CXX'] ?? 'c++',
      ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', name, 'library.cc'],
      {
        cwd: folder,
      },
    );
    return readFileSync(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/**
 * A wheel as TensorFlow's are, but small: two real libraries of which the first exports `success()` returning 42, a
 * header that declares it, and 400 kB that nobody needs.
 */
export const fakeWheel = (): { readonly wheel: Wheel; readonly content: Buffer } => {
  const content = zip({
    'tensorflow/libtensorflow_cc.so.2': compileLibrary(
      'extern "C" int success() { return 42; }',
      libraries[0] ?? '',
    ),
    'tensorflow/libtensorflow_framework.so.2': compileLibrary(
      'extern "C" int other() { return 1; }',
      libraries[1] ?? '',
    ),
    'tensorflow/include/tensorflow/c/c_api.h': Buffer.from('extern "C" int success();\n'),
    'tensorflow/include/absl/unneeded.h': Buffer.from('#error not wanted\n'),
    'tensorflow/python/unneeded.bin': seededBytes(400_000, 'wheel'),
  });
  const sha256 = createHash('sha256').update(content).digest('hex');
  const file = 'tensorflow_cpu-0.0.0-cp311-cp311-manylinux_2_27_x86_64.whl';
  return { wheel: { project: 'tensorflow-cpu', file, bytes: content.length, sha256, libraries }, content };
};
