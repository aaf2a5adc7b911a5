import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bytesOf,
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
 *     records.bin   float64, sequence by sequence: its values `[steps, features]`, one value for each of `statics`, its
 *                   targets, its weight if it is `weighted`, and its `key` if it has one. A label or category is its index
 *                   in `labels` or `categories`; a missing value is NaN.
 *     offsets.bin   float64 `[sequences + 1]`: where each record starts, counted in numbers
 *     names.jsonl   a JSON string a line: the name of each sequence; empty where rows are counted
 */
export interface PackDescription {
  /** The columns of a step. */
  readonly features: readonly string[];
  /** The columns of the file that the values come from; more than the features where a row is a whole sequence. */
  readonly columns: readonly string[];
  /** Columns with one value a sequence. */
  readonly statics: readonly string[];
  /** Numbers a sequence, or a step of it. */
  readonly targets: { readonly count: number; readonly each: 'sequence' | 'step' };
  /** Where a step is a token: the tokens of the file, as they came. The only feature is the index of one of them. */
  readonly tokens?: readonly string[];
  /** Texts of the classes, as they came; empty where targets are numbers. Of a set of labels, the JSON of a sorted list. */
  readonly labels: readonly string[];
  /** Texts of the categories of a feature or static column, as they came. */
  readonly categories: Readonly<Record<string, readonly string[]>>;
  readonly weighted: boolean;
  /** What a split needs to know of a sequence: a time, or its group or part, as an index in `keyLabels`. */
  readonly key: 'time' | 'label' | null;
  readonly keyLabels: readonly string[];
  /** How many values of a column are missing, for those that have some. */
  readonly missing: Readonly<Record<string, number>>;
  readonly sequences: number;
  /** Steps of the longest and of the shortest sequence. */
  readonly longest: number;
  readonly shortest: number;
}

/** The name of the feature that the setting of this name adds. */
export const deltaTime = 'deltaTime';

/** A sequence as it is written. */
export interface PackedSequence {
  /** `[steps, features]` */
  readonly values: Float64Array;
  readonly statics: readonly number[];
  readonly targets: readonly number[];
  readonly weight: number | undefined;
  readonly key: number | undefined;
  /** Absent where rows are counted. */
  readonly name: string | undefined;
}

/** Where the numbers of a record are, counted from its start. */
interface RecordPlaces {
  readonly statics: number;
  readonly targets: number;
  readonly targetCount: number;
  readonly weight: number;
  readonly key: number;
}

/** An opened pack. Records are read by offset, so memory does not grow with the file. */
export interface Pack extends PackDescription {
  /** Numbers of all records. */
  readonly numbers: number;
  readonly steps: (sequence: number) => number;
  /** The record of a sequence: the array begins with it, and is valid until the next call. */
  readonly record: (sequence: number) => Float64Array;
  /** Where what is in a record of this many steps; its values come first. */
  readonly places: (steps: number) => RecordPlaces;
  /** Shows the records of sequences, given in rising order, one by one: where each is in `numbers`. Reads many at once. */
  readonly visit: (
    sequences: Int32Array,
    see: (sequence: number, numbers: Float64Array, from: number) => void,
  ) => void;
  /** The names of the sequences; empty where rows are counted. */
  readonly names: () => readonly string[];
}

/** The records of a pack while it is written. */
export interface PackWriter {
  readonly add: (sequence: PackedSequence) => void;
  readonly sequences: () => number;
  readonly finish: (description: Omit<PackDescription, 'sequences' | 'longest' | 'shortest'>) => void;
  /** Closes the files; needed in any case. */
  readonly close: () => void;
}

/** A megabyte. */
const bufferedNumbers = 1 << 17;

const bufferedNames = 1 << 16;

/** Writes a pack into an empty folder. */
export const writePack = (folder: string): PackWriter => {
  const file = openToWrite(join(folder, 'records.bin'));
  const names = openToWrite(join(folder, 'names.jsonl'));
  const buffer = new Float64Array(bufferedNumbers);
  let filled = 0;
  let written = 0;
  let offsets = new Float64Array(1024);
  let sequences = 0;
  let namesAhead = '';
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
  const flushNames = () => {
    writeFully(names, Buffer.from(namesAhead));
    namesAhead = '';
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
    add: ({ values, statics, targets, weight, key, name }) => {
      mark();
      sequences++;
      longest = Math.max(longest, values.length);
      shortest = Math.min(shortest, values.length);
      put(values);
      put(statics);
      put(targets);
      if (weight !== undefined) put([weight]);
      if (key !== undefined) put([key]);
      if (name === undefined) return;
      namesAhead += `${JSON.stringify(name)}\n`;
      if (namesAhead.length > bufferedNames) flushNames();
    },
    sequences: () => sequences,
    finish: (description) => {
      mark();
      flush();
      flushNames();
      writeFileSync(join(folder, 'offsets.bin'), bytesOf(offsets.subarray(0, sequences + 1)));
      const width = description.features.length;
      const pack: PackDescription = {
        ...description,
        sequences,
        longest: longest / width,
        shortest: shortest / width,
      };
      writeFileSync(join(folder, 'pack.json'), JSON.stringify(pack));
    },
    close: () => {
      closeSync(file);
      closeSync(names);
    },
  };
};

export const describePack = (folder: string): PackDescription =>
  JSON.parse(readRegularText(join(folder, 'pack.json'))) as PackDescription;

export const placesIn = (
  { features, statics, targets, weighted }: PackDescription,
  steps: number,
): RecordPlaces => {
  const afterValues = steps * features.length;
  const afterStatics = afterValues + statics.length;
  const targetCount = targets.count * (targets.each === 'step' ? steps : 1);
  const afterTargets = afterStatics + targetCount;
  return {
    statics: afterValues,
    targets: afterStatics,
    targetCount,
    weight: afterTargets,
    key: afterTargets + (weighted ? 1 : 0),
  };
};

/** Opens a pack; the file stays open as long as the process. */
export const openPack = (folder: string): Pack => {
  const description = describePack(folder);
  const { features, statics, targets, weighted, key, sequences, longest } = description;
  const bytes = readRegular(join(folder, 'offsets.bin'));
  const offsets = new Float64Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8 * (sequences + 1)),
  );
  const file = openRegular(join(folder, 'records.bin'));
  const start = (sequence: number) => offsets[sequence] as number;
  const length = (sequence: number) => start(sequence + 1) - start(sequence);
  const numbers = start(sequences);
  const eachStep = features.length + (targets.each === 'step' ? targets.count : 0);
  const once =
    statics.length +
    (targets.each === 'step' ? 0 : targets.count) +
    (weighted ? 1 : 0) +
    (key === null ? 0 : 1);
  const read = (into: Float64Array, from: number) => {
    if (readFully(file, into, 8 * from) < into.byteLength)
      throw new Error(`${folder} is cut off. Remove it: it is made again from the data.`);
    return into;
  };
  const one = new Float64Array(longest * eachStep + once);
  return {
    ...description,
    numbers,
    steps: (sequence) => (length(sequence) - once) / eachStep,
    record: (sequence) => read(one.subarray(0, length(sequence)), start(sequence)),
    places: (steps) => placesIn(description, steps),
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
    names: () =>
      readRegularText(join(folder, 'names.jsonl'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as string),
  };
};
