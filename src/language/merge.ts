import type { Path } from '../diagnostic/diagnostic.ts';
import { formatPath, type Located, type LocatedEntry, type LocatedMap } from './located.ts';
import { trainingEnds } from './train-section.ts';

/**
 * Lays a spec over the one it extends. Mappings are merged key by key, everything else is replaced: lists as a whole,
 * and the values of a sweep axis as a whole. `null` deletes what the parent says. The three ways to say how long a
 * training lasts (steps, epochs, trainingIters) stand in for one another: naming one drops the inherited ones.
 */
export const mergeSpecs = (parent: Located, child: Located): Located => mergeAt(parent, child, []);

const mergeAt = (parent: Located | undefined, child: Located, path: Path): Located => {
  if (child.kind !== 'map') return child;
  const under = parent?.kind === 'map' && !replacedWhole(path) ? parent : undefined;
  const entries = new Map<string, LocatedEntry>(under?.entries);
  if (formatPath(path) === 'train') dropOtherEnds(entries, child);
  for (const [key, entry] of child.entries) {
    if (entry.value.kind === 'scalar' && entry.value.value === null) entries.delete(key);
    else {
      const merged = mergeAt(under?.entries.get(key)?.value, entry.value, [...path, key]);
      entries.set(key, { key: entry.key, value: merged });
    }
  }
  return { kind: 'map', entries, at: child.at };
};

const replacedWhole = (path: Path): boolean => path.length === 3 && path[0] === 'sweep' && path[1] === 'axes';

const dropOtherEnds = (entries: Map<string, LocatedEntry>, child: LocatedMap): void => {
  const names = trainingEnds.filter((name) => {
    const entry = child.entries.get(name);
    return entry !== undefined && !(entry.value.kind === 'scalar' && entry.value.value === null);
  });
  if (names.length > 0) for (const name of trainingEnds) entries.delete(name);
};
