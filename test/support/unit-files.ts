import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * A unit test starts no other program and compiles none: neither it nor a helper that it imports loads one of these
 * modules. So a test leaves `npm run test:unit` by itself once it needs the built command line, MLflow, a browser or a
 * terminal.
 */
const starters =
  /from '(?:node:child_process|playwright-core|esbuild|typescript|(?:\.\.\/)+src\/system\/command\.ts)'/;

/** What trains in child processes, starts MLflow or loads TensorFlow in another process: the function of the package for programs, and modules of src. */
const startingImports =
  /^import \{[^}]*\brun\b[^}]*\} from 'unroll(?:-ml)?';|from '(?:\.\.\/)+src\/.*\/(?:find-mlflow|upload|track-sweep|doctor)\.ts'/m;

const importsOf = (file: string, text: string): string[] =>
  [...text.matchAll(/from '(\.{1,2}\/[^']+\.ts)'/g)]
    .map(([, path = '']) => normalize(join(dirname(file), path)))
    // A test may hold the text of a program that imports.
    .filter((path) => path.startsWith('test/') && existsSync(path));

const startsPrograms = (file: string, known: Map<string, boolean>): boolean => {
  const before = known.get(file);
  if (before !== undefined) return before;
  // A circle of imports adds nothing.
  known.set(file, false);
  const text = readFileSync(file, 'utf8');
  const starts =
    starters.test(text) ||
    startingImports.test(text) ||
    importsOf(file, text).some((other) => startsPrograms(other, known));
  known.set(file, starts);
  return starts;
};

/** Tests of many minutes, which a command of their own runs. */
const onCommand = /^executor\/slurm\/(long|memory|three-executors)\.test\.ts$/;

/** All files of tests, apart by whether they start other programs. */
export const testFiles = (): { readonly unit: readonly string[]; readonly system: readonly string[] } => {
  const known = new Map<string, boolean>();
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && (process.env['UNROLL_SLURM'] || !onCommand.test(name)))
    .map((name) => `test/${name}`)
    .sort();
  return {
    unit: files.filter((file) => !startsPrograms(file, known)),
    system: files.filter((file) => startsPrograms(file, known)),
  };
};
