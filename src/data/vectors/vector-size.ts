import { wrongFile, type DataFile } from '../files.ts';
import type { DataError } from '../dataset.ts';

/** Numbers of the longest vector of a token that a model may have. */
export const mostVectorSize = 16_384;

export const tooLong = (file: DataFile, size: number): DataError =>
  wrongFile(file, `has vectors of ${size} numbers.`, {
    expected: `at most ${mostVectorSize} numbers in a vector`,
    help: 'Name a file with shorter vectors.',
  });
