import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** What no test may contain, and where it is needed nevertheless. */
const forbidden: readonly {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly allowed?: readonly string[];
}[] = [
  {
    pattern: /Math\.random|randomBytes|randomUUID|randomInt/,
    instead: 'draw from testSeed (test/support/seed.ts), so that a failure can be replayed',
  },
  {
    pattern: /\bseed: (?:Date\.now|performance)/,
    instead: 'draw from testSeed (test/support/seed.ts), so that a failure can be replayed',
  },
  {
    pattern: /(?<!['"])\bset(?:Timeout|Interval|Immediate)\(|timers\/promises/,
    instead: 'wait for a condition with until (test/support/until.ts): no sleep may decide an outcome',
    allowed: [
      'test/support/until.ts',
      // Kills a command that hangs.
      'test/faults/harness.ts',
      // Makes a command wait for a condition, in a process that has nothing of the tests.
      'test/support/hold-commit.ts',
      // Servers that answer drop by drop.
      'test/mlflow/client/transport.test.ts',
      'test/mlflow/silent-server.test.ts',
    ],
  },
  {
    pattern: /\bretry: [1-9]/,
    instead: 'make the test hold at the first try',
  },
  {
    pattern: /expect\(\[\d+(?:, \d+)+\]\)\.toContain\(\w*code\w*\)/,
    instead: 'expect the exact exit code',
  },
];

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((name) => `test/${name}`)
  .filter(
    (file) => file.endsWith('.ts') && !file.startsWith('test/fixtures/') && file !== 'test/hygiene.test.ts',
  );

it.each(forbidden)('no test contains $pattern: $instead', ({ pattern, allowed = [] }) => {
  const places = files
    .filter((file) => !allowed.includes(file))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
    );
  expect(places).toEqual([]);
});
