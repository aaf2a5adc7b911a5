#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Else the space for short-lived objects, once grown by reading a large file, takes 30 MB while other processes train.
setFlagsFromString('--semi-space-growth-factor=1');

// From Node 22 on, what was compiled once starts faster the next time.
module.enableCompileCache?.();

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  try {
    await import(built.href);
  } catch (error) {
    // The program, which has better words, is not loaded yet.
    if (error?.code !== 'EMFILE' && error?.code !== 'ENFILE') throw error;
    process.stderr.write(
      'unroll cannot be loaded: too many files are open. Raise the limit (`ulimit -n 4096`), and run the command again.\n',
    );
    process.exitCode = 1;
  }
} else {
  process.stderr.write('unroll is not built yet. Run: npm run setup\n');
  process.exitCode = 2;
}
