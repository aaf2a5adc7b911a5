import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { build } from 'esbuild';

/**
 * Merges the chunks that esbuild's splitting makes. It makes one for every set of dynamic imports that share some modules,
 * so that a command finds, reads and links a hundred small files at its start, which takes longer than running them. Chunks that
 * exactly the same of `entries` (source files) load at their start become one file: these entries then load a few files and
 * nothing that they do not use. Other entries may load more than they need, once they load any of it.
 *
 * Takes esbuild's result with a metafile, and returns the files: their text by name.
 */
export const mergeChunks = async ({ outputFiles, metafile }, entries) => {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const imports = (name) =>
    outputs
      .get(name)
      .imports.filter(({ kind, external }) => kind === 'import-statement' && !external)
      .map(({ path }) => basename(path));
  const imported = new Set([...outputs.keys()].flatMap(imports));

  const users = new Map();
  const visit = (name, entry) => {
    const known = users.get(name) ?? new Set();
    if (known.has(entry)) return;
    users.set(name, known.add(entry));
    for (const next of imports(name)) visit(next, entry);
  };
  for (const [name, { entryPoint }] of outputs) if (entries.includes(entryPoint)) visit(name, name);
  const groups = new Map();
  for (const [name, set] of users) {
    // An entry that no file imports stays as it is.
    if (!imported.has(name)) continue;
    const key = [...set].sort().join();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }

  /** Where a merged chunk's exports are now: the file, and what precedes their names. */
  const places = new Map();
  for (const members of groups.values()) {
    if (members.length < 2) continue;
    const text = await bundleOf(members, texts, outputs);
    const file = `part-${createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase()}.js`;
    texts.set(file, text);
    members.forEach((name, index) => places.set(name, { file, prefix: `c${index}_` }));
  }
  for (const [name] of places) {
    const { entryPoint, exports } = outputs.get(name);
    if (entryPoint === undefined) texts.delete(name);
    // It is still imported by its name when it is needed.
    else texts.set(name, `export { ${exports.join(', ')} } from "./${name}";\n`);
  }
  for (const [name, text] of texts) texts.set(name, withPlaces(text, places));
  return texts;
};

/** One file of several chunks, which exports what each of them did, with a prefix. */
const bundleOf = async (members, texts, outputs) => {
  const lines = members.flatMap((name, index) => [
    `import './${name}';`,
    `export { ${outputs
      .get(name)
      .exports.map((one) => `${one} as c${index}_${one}`)
      .join(', ')} } from './${name}';`,
  ]);
  const merge = {
    name: 'merge',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /./ }, ({ path, kind }) =>
        kind === 'import-statement' && members.includes(basename(path)) && path.startsWith('./')
          ? { path: basename(path), namespace: 'chunk' }
          : { path, external: true },
      );
      onLoad({ filter: /./, namespace: 'chunk' }, ({ path }) => ({ contents: texts.get(path) }));
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n') },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifyWhitespace: true,
    lineLimit: 160,
    plugins: [merge],
    logLevel: 'warning',
    write: false,
  });
  return outputFiles[0].text;
};

/** Lets the import statements of a file name the files that hold the merged chunks. */
const withPlaces = (text, places) =>
  text.replace(
    /\b(import|export)\s*(?:\{([^{}]*)\}\s*from\s*)?"\.\/([^"/]+)";/g,
    (statement, word, names, chunk) => {
      const place = places.get(chunk);
      if (!place) return statement;
      if (names === undefined) return `${word} "./${place.file}";`;
      const renamed = names
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .map((one) => {
          const [name, alias = name] = one.split(/\s+as\s+/);
          return `${place.prefix}${name} as ${alias}`;
        });
      return `${word} { ${renamed.join(', ')} } from "./${place.file}";`;
    },
  );
