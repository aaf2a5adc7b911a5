import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readFully,
  writeFully,
  readRegularText,
  readRegular,
  openRegular,
  openToWrite,
} from '../../system/files.ts';

/**
 * A table in the form that training reads. Folder:
 *
 *     pack.json     what it holds
 *     records.bin   float64, sequence by sequence: its values `[steps, features]`, then its targets: `outputs` numbers,
 *                   or one a step (`outputs` null). A class is its index in `labels`.
 *     offsets.bin   float64 `[sequences + 1]`: where each record starts, counted in numbers
 */
export interface PackDescription {
  readonly features: readonly string[];
  /** The columns of the file that the values come from; more than the features where a row is a whole sequence. */
  readonly columns: readonly string[];
  /** Targets a sequence, or null for one a step. */
  readonly outputs: number | null;
  /** Where a step is a token: the tokens of the file, as they came. The only feature is the index of one of them. */
  readonly tokens?: readonly string[];
  /** Texts of the classes, as they came; empty where targets are numbers. */
  readonly labels: readonly string[];
  readonly sequences: number;
  /** Steps of the longest and of the shortest sequence. */
  readonly longest: number;
  readonly shortest: number;
}

/** An opened pack. Records are read by offset, so memory does not grow with the file. */
export interface Pack extends PackDescription {
  /** Values and targets of all sequences. */
  readonly numbers: number;
  readonly steps: (sequence: number) => number;
  /** The record of a sequence: the array begins with it, and is valid until the next call. */
  readonly record: (sequence: number) => Float64Array;
  /** Shows the records of sequences, given in rising order, one by one: where each is in `numbers`. Reads many at once. */
  readonly visit: (
    sequences: Int32Array,
    see: (sequence: number, numbers: Float64Array, from: number) => void,
  ) => void;
}

/** The records of a pack while it is written. */
export interface PackWriter {
  /** Appends a sequence: its values `[steps, features]` and its targets. */
  readonly add: (values: Float64Array, targets: readonly number[]) => void;
  readonly sequences: () => number;
  readonly finish: (named: Pick<PackDescription, 'features' | 'columns' | 'labels' | 'tokens'>) => void;
  /** Closes the file; needed in any case. */
  readonly close: () => void;
}

/** A megabyte. */
const bufferedNumbers = 1 << 17;

/** Writes a pack into an empty folder. `outputs` is that of the description. */
export const writePack = (folder: string, outputs: number | null): PackWriter => {
  const file = openToWrite(join(folder, 'records.bin'));
  const buffer = new Float64Array(bufferedNumbers);
  let filled = 0;
  let written = 0;
  let offsets = new Float64Array(1024);
  let sequences = 0;
  let [longest, shortest] = [0, Infinity];

  const flush = () => {
    writeFully(file, bytesOf(buffer.subarray(0, filled)));
    written += filled;
    filled = 0;
  };
  const put = (numbers: Float64Array | readonly number[]) => {
    if (filled + numbers.length > bufferedNumbers) flush();
    if (numbers.length > bufferedNumbers) {
      writeFully(file, bytesOf(Float64Array.from(numbers)));
      written += numbers.length;
    } else {
      buffer.set(numbers, filled);
      filled += numbers.length;
    }
  };
  const mark = () => {
    if (sequences === offsets.length) {
      const larger = new Float64Array(2 * offsets.length);
      larger.set(offsets);
      offsets = larger;
    }
    offsets[sequences] = written + filled;
  };
  return {
    add: (values, targets) => {
      mark();
      sequences++;
      longest = Math.max(longest, values.length);
      shortest = Math.min(shortest, values.length);
      put(values);
      put(targets);
    },
    sequences: () => sequences,
    finish: ({ features, columns, labels, tokens }) => {
      mark();
      flush();
      writeFileSync(join(folder, 'offsets.bin'), bytesOf(offsets.subarray(0, sequences + 1)));
      const pack: PackDescription = {
        features,
        columns,
        outputs,
        labels,
        ...(tokens && { tokens }),
        sequences,
        longest: longest / features.length,
        shortest: shortest / features.length,
      };
      writeFileSync(join(folder, 'pack.json'), JSON.stringify(pack));
    },
    close: () => closeSync(file),
  };
};

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const describePack = (folder: string): PackDescription =>
  JSON.parse(readRegularText(join(folder, 'pack.json'))) as PackDescription;

/** Opens a pack; the file stays open as long as the process. */
export const openPack = (folder: string): Pack => {
  const description = describePack(folder);
  const { features, outputs, sequences, longest } = description;
  const bytes = readRegular(join(folder, 'offsets.bin'));
  const offsets = new Float64Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8 * (sequences + 1)),
  );
  const file = openRegular(join(folder, 'records.bin'));
  const start = (sequence: number) => offsets[sequence] as number;
  const length = (sequence: number) => start(sequence + 1) - start(sequence);
  const numbers = start(sequences);
  const read = (into: Float64Array, from: number) => {
    if (readFully(file, into, 8 * from) < into.byteLength)
      throw new Error(`${folder} is cut off. Remove it: it is made again from the data.`);
    return into;
  };
  const one = new Float64Array(longest * (features.length + 1) + (outputs ?? 0));
  return {
    ...description,
    numbers,
    steps: (sequence) =>
      outputs === null
        ? length(sequence) / (features.length + 1)
        : (length(sequence) - outputs) / features.length,
    record: (sequence) => read(one.subarray(0, length(sequence)), start(sequence)),
    visit: (wanted, see) => {
      const many = new Float64Array(Math.min(numbers, Math.max(bufferedNumbers, one.length)));
      let [from, to] = [0, 0];
      for (const sequence of wanted) {
        if (start(sequence + 1) > to) {
          from = start(sequence);
          to = Math.min(numbers, from + many.length);
          read(many.subarray(0, to - from), from);
        }
        see(sequence, many, start(sequence) - from);
      }
    },
  };
};
