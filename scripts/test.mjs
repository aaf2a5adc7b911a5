// The whole gate: format, lint, types, dead code, schema drift, tests. Ends with one line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'unroll-test-'));
const report = join(scratch, 'vitest.json');
const local = (name) => join(root, 'node_modules', '.bin', name);

const checks = [
  { name: 'format', command: [local('prettier'), '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: [local('eslint'), '.', '--max-warnings', '0'] },
  { name: 'types', command: [local('tsc'), '--noEmit'] },
  { name: 'types of the report page', command: [local('tsc'), '--noEmit', '-p', 'src/report/page'] },
  { name: 'dead code', command: [local('knip'), '--no-progress'] },
  {
    name: 'schema is up to date',
    command: [process.execPath, 'bin/unroll.js', 'schema', '--check', 'schema'],
  },
];

// Other releases of Node come from the npm package `node`: a download that a user's own check need not make.
if (process.env.CI) {
  checks.push({ name: 'smoke on this Node', command: [process.execPath, 'scripts/smoke.mjs'] });
  checks.push({ name: 'smoke on Node 24', command: [process.execPath, 'scripts/smoke.mjs', '24'] });
}

let passed = 0;
let failed = 0;
let skipped = 0;

for (const { name, command } of checks) {
  const [program, ...words] = command;
  const { status, error } = spawnSync(program, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(error.message);
  console.log(`${status === 0 ? 'ok' : 'FAILED'}: ${name}`);
  status === 0 ? passed++ : failed++;
}

const vitest = spawnSync(
  local('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped += result.numPendingTests + result.numTodoTests;
  // A file that does not load has no tests that could fail.
  if (vitest.status !== 0 && result.numFailedTests === 0) failed++;
  if (result.numPassedTests === 0) failed++;
} catch {
  failed++;
}
rmSync(scratch, { recursive: true, force: true });

if (process.env.CI && skipped > 0) {
  console.log(`FAILED: ${skipped} tests were skipped, which CI does not allow`);
  failed++;
}
console.log(
  `${passed} passed, ${failed} failed${skipped > 0 && !process.env.CI ? `, ${skipped} skipped` : ''}`,
);
process.exit(failed === 0 ? 0 : 1);
