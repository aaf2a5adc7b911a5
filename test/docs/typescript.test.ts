import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { configFile, newKinds, ownRowFiles } from '../../src/cli/init/own-row.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { blocksOf } from './blocks.ts';
import { pages } from './pages.ts';

/** Where the files would lie: the config of the example is beside them, which the pages import. */
const folder = join(packageRoot, 'examples', 'own-model');

/** Files that exist in memory only, by path: what the pages show, and what `unroll new` writes. */
const written = (): Map<string, string> => {
  const files = new Map<string, string>();
  for (const page of pages) {
    for (const { language, text, line } of blocksOf(readFileSync(page, 'utf8'))) {
      if (language === 'ts') files.set(join(folder, `${basename(page, '.md')}-line-${line}.ts`), text);
    }
  }
  for (const kind of newKinds) {
    files.set(join(folder, kind, `unroll.config.ts`), configFile(kind, `my-${kind}`));
    for (const [name, text] of Object.entries(ownRowFiles(kind, `my-${kind}`))) {
      if (name.endsWith('.ts')) files.set(join(folder, kind, name), text);
    }
  }
  return files;
};

/** What the compiler says of these files, with the settings of this repository. */
const mistakesIn = (files: ReadonlyMap<string, string>): string[] => {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(packageRoot, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  );
  const options = config?.options ?? {};
  const host = ts.createCompilerHost(options);
  const folders = new Set([...files.keys()].map(dirname));
  host.fileExists = (path) => files.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => files.get(path) ?? ts.sys.readFile(path);
  host.directoryExists = (path) => folders.has(path) || ts.sys.directoryExists(path);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${basename(path)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
};

it('compiles, in every page and in what unroll new writes', () => {
  const files = written();
  expect(files.size).toBeGreaterThanOrEqual(3 + 2 * newKinds.length);
  const wrong = join(folder, 'wrong.ts');
  files.set(wrong, "import { plan } from 'unroll-ml';\nexport const runs = plan(1);\n");
  // The last one is wrong by intent: a compiler that finds nothing proves nothing.
  expect(mistakesIn(files)).toEqual([expect.stringMatching(/^wrong\.ts: .*not assignable/)]);
});
