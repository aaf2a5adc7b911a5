import type { DatasetRow } from '../data/dataset.ts';
import type { Issue } from '../diagnostic/diagnostic.ts';
import { checkAgainst } from '../language/check.ts';
import type { NamedSection } from '../language/config.ts';
import type { Json } from '../system/json.ts';

/**
 * The first wrong value in the dataset section of a record that somebody else wrote. Missing and unknown keys are none: other
 * versions have other ones, and a model's folder may lack settings that it does not need.
 */
export const wrongSetting = (row: DatasetRow, { name, ...settings }: NamedSection): Issue | undefined =>
  checkAgainst(row.parameters, settings as Json, `dataset ${name}`).issues.find(
    ({ code }) => code !== 'missing-key' && code !== 'unknown-key',
  );
