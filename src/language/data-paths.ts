import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { SourceText } from '../diagnostic/diagnostic.ts';
import { fileParameters, type Registry } from '../registry/rows.ts';
import type { SpecDocument } from './load-spec.ts';
import type { Located, LocatedMap } from './located.ts';
import { commandLine } from './located.ts';

/**
 * The document with the paths of data files from the folder of the spec. A relative path starts at the folder of the file
 * that contains it, which may be an extended one, or at the working directory if it is on the command line. If there is
 * no such file but one at the same path from the folder of the spec, that one is used.
 */
export const withDataPaths = (document: SpecDocument, registry: Registry): SpecDocument => {
  const parameters = new Set(Object.keys(registry.dataset).flatMap((name) => fileParameters(registry, name)));
  const folderOf = ({ name }: SourceText): string => (name === commandLine ? '.' : dirname(name));
  const extended = new Set(document.extendedAt.keys());

  const fromSpec = (path: string, source: SourceText): string => {
    if (isAbsolute(path) || (source.name !== commandLine && !extended.has(source))) return path;
    const meant = resolve(folderOf(source), path);
    if (!existsSync(meant) && existsSync(resolve(document.baseDirectory, path))) return path;
    return relative(document.baseDirectory, meant).split(sep).join('/');
  };

  /** Below `isPath`, every string is a path. */
  const visit = (node: Located, isPath: boolean): Located => {
    switch (node.kind) {
      case 'scalar':
        return isPath && typeof node.value === 'string' && node.value !== ''
          ? { ...node, value: fromSpec(node.value, node.at.source) }
          : node;
      case 'list':
        return { ...node, items: node.items.map((item) => visit(item, isPath)) };
      case 'map':
        return mapEntries(node, (key, value) => visit(value, isPath || parameters.has(key)));
    }
  };

  /** A sweep names a path as `dataset.file`, or as `file` below `dataset`. */
  const visitSweep = (node: Located): Located => {
    switch (node.kind) {
      case 'scalar':
        return node;
      case 'list':
        return { ...node, items: node.items.map(visitSweep) };
      case 'map':
        return mapEntries(node, (key, value) => {
          if (key === 'dataset') return visit(value, false);
          if (key === 'model') return visitModel(value);
          if (key === 'model.embedding') return visitEmbedding(value);
          const isPath =
            (key.startsWith('dataset.') && parameters.has(key.slice('dataset.'.length))) ||
            (key.startsWith('model.embedding.') && vectorPaths.has(key.slice('model.embedding.'.length)));
          return isPath ? visit(value, true) : visitSweep(value);
        });
    }
  };

  /** `train.from` is a path only if it ends as one. */
  const visitWeights = (node: Located): Located => {
    if (node.kind === 'list') return { ...node, items: node.items.map(visitWeights) };
    return visit(node, node.kind === 'scalar' && isWeightsFile(node.value));
  };
  const visitTrain = (node: Located): Located =>
    node.kind === 'map'
      ? mapEntries(node, (key, value) => (key === 'from' ? visitWeights(value) : value))
      : node;

  /** The embedding of a model, where it is not only a size. */
  const visitEmbedding = (node: Located): Located => {
    if (node.kind === 'list') return { ...node, items: node.items.map(visitEmbedding) };
    if (node.kind === 'scalar') return node;
    return mapEntries(node, (key, value) =>
      vectorPaths.has(key) ? visit(value, true) : visitEmbedding(value),
    );
  };
  const visitModel = (node: Located): Located =>
    node.kind === 'map'
      ? mapEntries(node, (key, value) => (key === 'embedding' ? visitEmbedding(value) : value))
      : node;

  const root = mapEntries(document.root, (key, value) => {
    if (key === 'dataset') return visit(value, false);
    if (key === 'model') return visitModel(value);
    if (key === 'train') return visitTrain(value);
    return key === 'sweep' ? visitSweep(value) : value;
  });
  return { ...document, root };
};

/** The keys of `model.embedding` that are paths. */
const vectorPaths: ReadonlySet<string> = new Set(['file', 'tokens']);

/** Whether `train.from` is the path of a file. */
export const isWeightsFile = (from: unknown): from is string =>
  typeof from === 'string' && from.endsWith('.safetensors');

const mapEntries = (node: LocatedMap, change: (key: string, value: Located) => Located): LocatedMap => ({
  ...node,
  entries: new Map(
    [...node.entries].map(([key, entry]) => [key, { ...entry, value: change(key, entry.value) }]),
  ),
});
