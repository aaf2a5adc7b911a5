// Bundles src/ into dist/: few files start faster than many, and the command needs no compiler at run time.
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { mergeChunks } from './merge-chunks.mjs';
import { readStamp, sourceDigest, stampFile } from './source-digest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Entries lie flat in dist/, so that a chunk finds `./child.js` beside itself. */
export const entries = {
  main: 'src/cli/main.ts',
  index: 'src/index.ts',
  child: 'src/runner/child.ts',
  setup: 'src/tensorflow/install/command.ts',
  probe: 'src/tensorflow/probe.ts',
  uploader: 'src/mlflow/uploader/main.ts',
};

/** Packages that every command needs: in one file they load in half the time of their hundreds. */
const bundled = [
  '@commander-js/extra-typings',
  '@sinclair/typebox',
  '@tensorflow/tfjs-core',
  'commander',
  'fastest-levenshtein',
  'p-queue',
  'picocolors',
  'simple-statistics',
  'yaml',
];
const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter(
  (name) => !bundled.includes(name),
);

/** What starts often: their chunks are merged, because many small files take longer to load. */
const merged = [
  'src/cli/main.ts',
  'src/cli/commands/validate.ts',
  'src/cli/commands/run.ts',
  'src/cli/commands/ls.ts',
  'src/cli/commands/predict.ts',
  'src/runner/child.ts',
];

/** Bundled CommonJS packages ask for Node's own modules with `require`, which a module has not. */
const requireForBundledPackages =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);\n";

/**
 * Puts only the parts of TensorFlow.js that are used into dist/, in few files: finding, reading and compiling its hundreds of
 * files takes longer than all else in the start of a process that trains. The parts come from sources of modules, of which
 * esbuild leaves out what nothing uses. tfjs-node asks for the union package, which loads layers, a converter and back ends
 * for browsers: it gets the core with the gradients and the methods of tensors that come with the union package.
 */
const onlyUsedTfjs = {
  name: 'only-used-tfjs',
  setup: ({ onResolve, onLoad, resolve }) => {
    const core = '@tensorflow/tfjs-core/dist';
    const replacements = {
      '@tensorflow/tfjs': `
        import '${core}/register_all_gradients.js';
        import '${core}/public/chained_ops/register_all_chained_ops.js';
        export * from '@tensorflow/tfjs-core';`,
      // Node 23 removed the second one.
      util: `
        export const { isArray } = Array;
        export const isNullOrUndefined = (value) => value === null || value === undefined;`,
      // Messages of TensorBoard, which only its summaries need.
      './proto/api_pb': 'module.exports = {};',
      // For versions of Node without a fetch of their own.
      'node-fetch': 'module.exports = undefined;',
    };
    const namespace = 'replaced-for-tfjs';
    onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, ({ kind }) =>
      resolve(`${core}/index.js`, { kind, resolveDir: root }),
    );
    onResolve({ filter: /^@tensorflow\/tfjs-node\/dist\// }, ({ path, kind }) =>
      resolve(path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'), { kind, resolveDir: root }),
    );
    onResolve(
      { filter: /^(@tensorflow\/tfjs|node-fetch|util|\.\/proto\/api_pb)$/ },
      ({ path, importer, kind }) => {
        const fromTfjs = importer.includes(join('node_modules', '@tensorflow'));
        // The core takes only functions of today from Node, with a call.
        return fromTfjs && !(path === 'util' && kind === 'require-call') ? { path, namespace } : undefined;
      },
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: replacements[path], resolveDir: root }));
  },
};

/**
 * Modules of Node that take milliseconds to load, and that many commands import and do not use: their functions load them at
 * the first call. An import of another name does not build.
 */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup: ({ onResolve, onLoad }) => {
    const functions = {
      child_process: ['execFile', 'fork', 'spawn', 'spawnSync'],
      crypto: ['createHash', 'createHmac', 'hash', 'randomBytes', 'randomInt', 'randomUUID'],
    };
    const namespace = 'lazy-builtin';
    onResolve({ filter: /^(node:)?(child_process|crypto)$/ }, ({ path }) => ({
      path: path.replace('node:', ''),
      namespace,
    }));
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: functions[path]
        .map(
          (name) =>
            `export const ${name} = (...given) => process.getBuiltinModule('node:${path}').${name}(...given);`,
        )
        .join('\n'),
    }));
  },
};

/** The build of `yaml` for browsers: the one for Node reads `process.env` at every token, a third of the time to parse. */
const plainYaml = join(root, 'node_modules', 'yaml', 'browser', 'index.js');

// Taken first: a source that changes meanwhile must be built again next time.
const digest = sourceDigest();
const bundle = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(join(root, file)))),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: [...external, ...external.map((name) => `${name}/*`)],
  alias: { yaml: plainYaml },
  plugins: [onlyUsedTfjs, lazyBuiltins],
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  metafile: true,
  logLevel: 'warning',
  write: false,
});
const outputFiles = [...(await mergeChunks(bundle, merged))].map(([name, text]) => ({
  path: join(dist, name),
  contents: /typeof require\b/.test(text) ? requireForBundledPackages + text : text,
}));

// The program and style of `unroll report`'s page, which runs in a browser.
const page = await build({
  absWorkingDir: root,
  entryPoints: { 'report-page': 'src/report/page/main.ts' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'eof',
  logLevel: 'warning',
  write: false,
});
outputFiles.push(...page.outputFiles);

// tfjs-node's C++, which the set-up compiles where no prebuilt add-on fits.
const binding = join(root, 'node_modules', '@tensorflow', 'tfjs-node', 'binding');
for (const name of (await readdir(binding)).filter((file) => /\.(cc|h)$/.test(file)).sort())
  outputFiles.push({ path: join(dist, 'tfjs-node', name), contents: await readFile(join(binding, name)) });

// File by file and entries last, so that a command started meanwhile finds either the old or the new program.
const isEntry = (path) => basename(path).split('.')[0] in entries;
const temporary = join(dist, `.${process.pid}.tmp`);
await mkdir(join(dist, 'tfjs-node'), { recursive: true });
for (const file of outputFiles.sort((a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)))) {
  await writeFile(temporary, file.contents);
  await rename(temporary, file.path);
}
// Only what an earlier build wrote is removed.
const files = outputFiles.map((file) => relative(dist, file.path));
for (const name of readStamp().files) {
  if (!files.includes(name)) await rm(join(dist, name), { force: true });
}
await writeFile(stampFile, JSON.stringify({ digest, files }));
