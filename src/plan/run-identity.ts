import type { NamedSection } from '../language/config.ts';
import { canonicalJson, shortHash } from '../system/canonical.ts';
import type { Json } from '../system/json.ts';
import type { Run } from './plan.ts';

/**
 * A dataset section without the paths of its files, given the names of the parameters that hold them: where a file is says
 * nothing of a run, and the digest says what is in it. A file that is not named (null) stays.
 */
export const withoutPaths = (section: NamedSection, files: readonly string[]): NamedSection =>
  Object.fromEntries(
    Object.entries(section).filter(([key, value]) => value === null || !files.includes(key)),
  ) as NamedSection;

/** The id of a run as this version computes it; a run that an earlier version recorded may have another. */
export const runIdOf = (
  { config, datasetDigest, seed, versions, code }: Run,
  files: readonly string[],
): string => {
  const dataset = withoutPaths(config.dataset, files);
  const identity = { ...(code && { code }), config: { ...config, dataset }, datasetDigest, seed, versions };
  return shortHash(canonicalJson(identity as unknown as Json));
};
