import { readRegularText, readRegular, endlessFile } from '../../system/files.ts';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Loader, Message, Metafile, Plugin } from 'esbuild';
import { cacheFolder } from '../../system/cache-folder.ts';
import { interruptionOf } from '../../system/system-error.ts';
import { makeFolder } from '../../system/whole-folder.ts';
import { failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { packageName, packageRoot, packageVersion } from '../../system/package-root.ts';
import { fileStart, offsetOf, sourceOf } from './places.ts';

/** One module of a config's import graph. */
export interface PluginModule {
  /** Absolute path of the user's file. */
  readonly file: string;
  /** The bundled module's file in the folder. */
  readonly output: string;
  /** Hex SHA-256 of the module, of all local modules below it, and of the versions of the packages they use. */
  readonly digest: string;
  /** Whether importing the config imports the module at once, rather than when a run is built. */
  readonly eager: boolean;
}

/** A config's code as a folder that Node can import, which no later edit changes. */
export interface Bundle {
  readonly folder: string;
  /** The config itself first. */
  readonly modules: readonly PluginModule[];
}

/** Every file of a config's code, the config first, with what it imports as data; packages are not among them. */
export const filesOfConfig = async (config: string): Promise<Result<readonly string[]>> => {
  const read = await graphOf(config);
  if (!read.ok) return read;
  const { files } = read.value.graph;
  return success([config, ...files.filter((file) => file !== config)]);
};

/** The file in a bundle's folder that lists its modules. */
export const modulesFile = 'modules.json';

const codeFile = /\.[cm]?[jt]sx?$/;

/**
 * Compiles a config and what it imports into a folder of the cache, one file for each module. Packages stay where they
 * are installed; `unroll-ml` and TensorFlow's packages are the program's own, so that there is one copy in a process.
 */
export const bundleConfig = async (config: string): Promise<Result<Bundle>> => {
  const { build, version } = await import('esbuild');
  const read = await graphOf(config);
  if (!read.ok) return read;
  const { graph, common, plugins } = read.value;
  try {
    const files = graph.files.filter((file) => codeFile.test(file));
    const ordered = [config, ...files.filter((file) => file !== config)];
    const folder = folderOf(graph, [config, version]);
    const modules = ordered.map((file, index): PluginModule => ({
      file,
      output: `module${index}.js`,
      digest: graph.digest(file),
      eager: graph.eager(config).has(file),
    }));
    await makeFolder(folder, async (beside) => {
      const { outputFiles } = await build({
        ...common,
        plugins,
        // Source maps name the sources from here.
        outdir: folder,
        entryPoints: Object.fromEntries(ordered.map((file, index) => [`module${index}`, file])),
      });
      for (const { path, contents } of outputFiles) writeFileSync(join(beside, basename(path)), contents);
      writeFileSync(join(beside, modulesFile), JSON.stringify(modules));
      // What esbuild names .js is a module here, whatever lies above.
      writeFileSync(join(beside, 'package.json'), '{"type":"module"}');
    });
    return success({ folder, modules });
  } catch (error) {
    return failed(config, error);
  }
};

/** What a config imports, and how it is compiled. */
const graphOf = async (config: string) => {
  const { build } = await import('esbuild');
  const packages: PackageUses = new Map();
  const common = {
    absWorkingDir: dirname(config),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'inline',
    metafile: true,
    write: false,
    logLevel: 'silent',
    define: locationNames,
  } as const;
  const plugins = [resolvePackages(packages), keepLocation()];
  try {
    const { metafile } = await build({ ...common, plugins, outdir: '/', entryPoints: [config] });
    return success({ graph: importGraph(metafile, { base: dirname(config), packages }), common, plugins });
  } catch (error) {
    return failed(config, error);
  }
};

const failed = (config: string, error: unknown) => {
  const { errors } = error as Partial<BuildFailure>;
  if (!errors) throw error;
  const refused = errors.find(({ detail }) => interruptionOf(detail) !== undefined);
  if (refused) throw refused.detail;
  return failure(...errors.map((one) => diagnosticOf(one, config)));
};

/** Packages, as `name@version`, that each file imports. */
type PackageUses = Map<string, Set<string>>;

/** Packages that must be the program's own. */
const ownPackage = (path: string): string | undefined => {
  // The name that configs of 0.1.0 import: their digest, and so their runs' ids, must not change.
  if (path === packageName || path === 'unroll') return join(packageRoot, 'dist', 'index.js');
  if (/^(@tensorflow\/tfjs-(core|node|backend-wasm)|@sinclair\/typebox)(\/|$)/.test(path))
    return createRequire(import.meta.url).resolve(path);
  return undefined;
};

const isLocal = (path: string): boolean => /^\.{0,2}\//.test(path) || /^([A-Za-z]:|file:)/.test(path);

/** Marks every package as external, by the file that it is; what cannot be found is an error with its place. */
const resolvePackages = (packages: PackageUses): Plugin => ({
  name: 'packages',
  setup: (build) => {
    build.onResolve({ filter: /./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (kind === 'entry-point' || pluginData === resolved || isLocal(path)) return undefined;
      if (isBuiltin(path)) return { path, external: true };
      const own = ownPackage(path);
      if (own !== undefined) return { path: pathToFileURL(own).href, external: true };
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: resolved });
      if (found.errors.length > 0) return { errors: found.errors };
      // A path of tsconfig.json leads to a local file.
      if (!found.path.includes('node_modules')) return { path: found.path };
      const uses = packages.get(importer) ?? new Set();
      packages.set(importer, uses.add(`${path}@${versionOf(found.path)}`));
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
});

const resolved = Symbol('resolved');

/** The version of the package that an installed file belongs to. */
const versionOf = (file: string): string => {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const { version } = JSON.parse(readRegularText(manifest)) as { version?: string };
    if (version !== undefined) return version;
  }
  return '';
};

/** What a module reads to learn where it is, and the constant that replaces it in the bundle. */
const locationNames = {
  'import.meta.url': '__unrollUrl',
  'import.meta.filename': '__unrollFile',
  'import.meta.dirname': '__unrollFolder',
  __filename: '__unrollFile',
  __dirname: '__unrollFolder',
} as const;

const locationOf = (path: string): string =>
  `const __unrollUrl = ${JSON.stringify(pathToFileURL(path).href)}, __unrollFile = ${JSON.stringify(path)}, __unrollFolder = ${JSON.stringify(dirname(path))};`;

/** A bundled module lies elsewhere than what was written: files beside it must be found all the same. */
const keepLocation = (): Plugin => ({
  name: 'location',
  setup: (build) => {
    // What is imported as data is read by esbuild, which would wait for a pipe.
    build.onLoad({ filter: /./ }, ({ path }) => {
      const endless = endlessFile(path);
      // As in every other file, the system's error is reported, and not as one of the code.
      accessSync(path, constants.R_OK);
      return endless === undefined ? undefined : { errors: [{ text: `${path} is ${endless}, not a file` }] };
    });
    build.onLoad({ filter: codeFile }, ({ path }) => {
      const extension = extname(path).slice(1);
      return {
        // On the first line, so that the places in messages stay right.
        contents: `${locationOf(path)} ${readRegularText(path).replace(/^#!.*/, '')}`,
        loader: extension.replace(/^[cm]/, '') as Loader,
      };
    });
  },
});

interface ImportGraph {
  readonly files: readonly string[];
  /** Files that importing a file imports at once, itself included. */
  readonly eager: (from: string) => ReadonlySet<string>;
  readonly digest: (from: string) => string;
}

const importGraph = (
  { inputs }: Metafile,
  { base, packages }: { readonly base: string; readonly packages: PackageUses },
): ImportGraph => {
  const imports = new Map(
    Object.entries(inputs).map(([file, { imports: list }]) => [
      resolve(base, file),
      list
        .filter(({ external }) => !external)
        .map(({ path, kind }) => ({ file: resolve(base, path), lazy: kind === 'dynamic-import' })),
    ]),
  );
  const reach = (from: string, alsoLazy: boolean, found = new Set<string>()): ReadonlySet<string> => {
    if (found.has(from)) return found;
    found.add(from);
    for (const { file, lazy } of imports.get(from) ?? []) if (alsoLazy || !lazy) reach(file, alsoLazy, found);
    return found;
  };
  return {
    files: [...imports.keys()],
    eager: (from) => reach(from, false),
    digest: (from) => {
      const hash = createHash('sha256');
      for (const file of [...reach(from, true)].sort()) {
        // The place of a project on a disk has no influence on its numbers.
        hash
          .update(`${relative(dirname(from), file)}\0`)
          .update(readRegular(file))
          .update('\0');
        for (const one of [...(packages.get(file) ?? [])].sort()) hash.update(`${one}\0`);
      }
      return hash.digest('hex');
    },
  };
};

/** A bundle names files of this machine, so where they are is a part of its key. */
const folderOf = (graph: ImportGraph, [config, ...others]: readonly [string, ...string[]]): string => {
  const key = JSON.stringify([config, graph.digest(config), packageRoot, packageVersion, ...others]);
  return join(cacheFolder(), 'plugins', createHash('sha256').update(key).digest('hex').slice(0, 32));
};

/** esbuild's messages about a file, as diagnostics. */
const diagnosticOf = ({ text, location }: Message, config: string): Diagnostic => {
  const missing = /^Could not resolve "(.*)"$/.exec(text)?.[1];
  const file = location ? resolve(dirname(config), location.file) : config;
  const source = sourceOf(file);
  const before = location?.line === 1 ? locationOf(file).length + 1 : 0;
  const start = location ? offsetOf(source.text, location.line, Math.max(0, location.column - before)) : 0;
  return {
    code: 'plugin-broken',
    severity: 'error',
    message:
      missing === undefined
        ? `The code cannot be read: ${text}.`
        : 'The module that is imported does not exist.',
    at: location ? { source, start, end: start + Math.max(1, location.length) } : fileStart(file),
    expected:
      missing === undefined
        ? 'TypeScript or JavaScript'
        : 'the path of a file, or the name of an installed package',
    got: missing === undefined ? text : JSON.stringify(missing),
    help: missing === undefined ? 'Fix the code here; an editor shows the same error.' : howToImport(missing),
  };
};

const howToImport = (missing: string): string => {
  if (isLocal(missing))
    return 'Check the path: it starts at the folder of this file and needs its extension.';
  return `Install it with: npm install ${missing}`;
};
