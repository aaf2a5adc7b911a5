import type { DataDescription } from '../description.ts';
import type { Vectors } from './vectors.ts';

export type DescribedVectors = NonNullable<DataDescription['vectors']>[number];

/** What is recorded of the vectors in a file. */
export const describeVectors = (file: string, { found }: Vectors): DescribedVectors => ({
  file,
  tokens: found.length,
  found: found.reduce((sum, one) => sum + one, 0),
});
