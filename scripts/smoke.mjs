// The suite's smoke part on any Node: `node scripts/smoke.mjs [version]`, such as 24. A version other than the running
// one comes from the npm package `node` and is kept in the cache. Ends with one line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installNode } from './install-node.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [version] = process.argv.slice(2);

/** Runs a command in the checkout; standard error goes through. */
const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });

const scratch = mkdtempSync(join(tmpdir(), 'unroll-smoke-'));
const node = version ? installNode(version) : process.execPath;

/** Each is a command and what its standard output must hold. */
const checks = [
  { name: 'this is the Node that was asked for', args: ['--version'], expected: `v${version ?? ''}` },
  { name: 'the set-up finds or makes everything', args: ['scripts/setup.mjs'], expected: '' },
  {
    name: 'native TensorFlow loads and multiplies matrices',
    args: ['dist/probe.js'],
    expected: '{"backend":"tensorflow"',
  },
  { name: 'the command line starts', args: ['bin/unroll.js', '--help'], expected: 'Usage: unroll' },
  {
    name: 'a small experiment trains',
    args: ['bin/unroll.js', 'run', join(root, 'experiments', 'smoke.yaml')],
    cwd: scratch,
    expected: '',
  },
];

let passed = 0;
let failed = 0;
for (const { name, args, cwd, expected } of checks) {
  const program = args[0]?.endsWith('.js') ? [join(root, args[0]), ...args.slice(1)] : args;
  const { status, stdout, error } = run(node, program, { cwd: cwd ?? root });
  const good = status === 0 && stdout.includes(expected);
  console.log(`${good ? 'ok' : 'FAILED'}: ${name}`);
  if (good) passed++;
  else {
    failed++;
    console.log(error?.message ?? stdout);
  }
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
