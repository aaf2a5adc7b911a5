// Writes the declarations of the package's public module into dist/types: those that `unroll` can be seen through, and
// no others. Part of `npm pack`; the program itself does not need them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'unroll-types-'));
const target = join(root, 'dist', 'types');

const settings = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: join(root, 'src'),
    outDir: scratch,
    typeRoots: [join(root, 'node_modules', '@types')],
  },
  files: [join(root, 'src', 'index.ts'), join(root, 'src', 'report', 'jstat.d.ts')],
  include: [],
};

try {
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', scratch], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);

  const seen = new Map();
  const visit = (file) => {
    if (seen.has(file) || !existsSync(file)) return;
    // Node's resolution wants the name of the JavaScript that a declaration stands for.
    const text = readFileSync(file, 'utf8').replace(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2');
    seen.set(file, text);
    for (const [, path] of text.matchAll(/(?:from |import\()['"](\.[^'"]*)\.js['"]/g))
      visit(join(dirname(file), `${path}.d.ts`));
  };
  visit(join(scratch, 'index.d.ts'));

  rmSync(target, { recursive: true, force: true });
  for (const [file, text] of seen) {
    const place = join(target, relative(scratch, file));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
