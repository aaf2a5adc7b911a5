#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

// From Node 22 on, what was compiled once starts faster the next time.
module.enableCompileCache?.();

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  process.stderr.write('unroll is not built yet. Run: npm run setup\n');
  process.exitCode = 2;
}
