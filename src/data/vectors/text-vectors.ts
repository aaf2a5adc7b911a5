import { numberIn, shown } from '../columns/cells.ts';
import { wrongFile, type DataFile } from '../files.ts';
import { linesOf } from '../table/read-jsonl.ts';
import { collectProblems } from '../table/problems.ts';
import type { DataError } from '../dataset.ts';
import { mostVectorSize, tooLong } from './vector-size.ts';
import type { VectorSink } from './vector-sink.ts';

/** The first line of word2vec's and fastText's form: how many vectors there are, and the numbers of each. */
interface Head {
  readonly count: number;
  readonly size: number;
}

/**
 * Reads vectors in the text form of word2vec, fastText and GloVe: a token and its numbers on each line, split by spaces, with
 * or without a first line that has their counts. Of a token that comes twice, the first vector counts. Returns the numbers of a
 * vector. Throws `DataError` with all bad lines.
 */
export const readTextVectors = async (file: DataFile, sink: VectorSink): Promise<number> => {
  const problems = collectProblems(file);
  let head: Head | undefined;
  let size = 0;
  let line = 0;
  let vectors = 0;
  for await (const text of linesOf(file)) {
    line++;
    const trimmed = text.trimEnd();
    if (trimmed === '') continue;
    if (line === 1) {
      head = headOf(trimmed);
      size = head?.size ?? trimmed.split(/[ \t]/).length - 1;
      if (size === 0) throw noVectors(file);
      if (size > mostVectorSize) throw tooLong(file, size);
      if (head) continue;
    }
    vectors++;
    const from = startOfNumbers(trimmed, size);
    const numbers = () => trimmed.slice(from + 1).split(/[ \t]/);
    const token = trimmed.slice(0, Math.max(0, from));
    // A token may have spaces, but not a number that a vector of another size would leave in it.
    if (from <= 0 || endsInNumber(token)) {
      const found = trimmed.split(/[ \t]/).length - 1;
      problems.report(line, `${found} ${found === 1 ? 'number' : 'numbers'} where ${size} are needed`);
      continue;
    }
    const place = sink.placeOf(token);
    if (place === undefined) continue;
    const vector = numbers().map(numberIn);
    const wrong = vector.findIndex(Number.isNaN);
    if (wrong === -1) sink.put(place, vector);
    else problems.report(line, `${shown(numbers()[wrong])} is not a finite number`);
  }
  problems.throwIfAny();
  if (vectors === 0) throw noVectors(file);
  if (head && head.count !== vectors) throw otherCount(file, head, vectors);
  return size;
};

const headOf = (line: string): Head | undefined => {
  const [, count, size] = /^(\d+)[ \t](\d+)$/.exec(line) ?? [];
  return count === undefined || size === undefined ? undefined : { count: Number(count), size: Number(size) };
};

/** Where the separator before the last `size` fields is; -1 where there are fewer. */
const startOfNumbers = (line: string, size: number): number => {
  let left = size;
  for (let at = line.length - 1; at >= 0; at--) {
    const code = line.charCodeAt(at);
    if ((code === 32 || code === 9) && --left === 0) return at;
  }
  return -1;
};

const endsInNumber = (token: string): boolean => {
  const last = /[ \t]([^ \t]+)$/.exec(token)?.[1];
  return last !== undefined && !Number.isNaN(numberIn(last));
};

const noVectors = (file: DataFile): DataError =>
  wrongFile(file, 'has no vectors.', {
    expected: 'a token and its numbers on each line, as word2vec and GloVe write them',
    help: 'Name a text file with vectors, or an .npy or .safetensors file.',
  });

const otherCount = (file: DataFile, { count }: Head, vectors: number): DataError =>
  wrongFile(file, `is damaged: line 1 announces ${count} vectors, and there are ${vectors}.`, {
    expected: `${count} vectors`,
    help: 'Get the file again, or correct its first line.',
  });
