import { DataError } from '../dataset.ts';
import { indicesBelow } from '../indices.ts';
import { randomStream } from '../random.ts';
import type { Pack } from './pack.ts';
import { fractions, type TableSettings } from './parameters.ts';

/** The sequences of `file` by their parts, each in rising order. */
export interface DrawnParts {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/** Which sequences of `file` belong to which part. Throws `DataError` where one would be empty. */
export const drawParts = (settings: TableSettings, pack: Pack): DrawnParts => {
  const size = pack.sequences;
  if (settings.split === 'column') return namedParts(settings, pack);
  const { validation, test } = fractions(settings);
  const counts = {
    validation: validation === 0 ? 0 : Math.max(1, Math.round(size * validation)),
    test:
      settings.testFile !== null
        ? 0
        : settings.folds === null
          ? Math.max(1, Math.round(size * test))
          : Math.ceil(size / settings.folds),
  };
  checkCounts(settings, size, counts);
  switch (settings.split) {
    case 'random':
      return cut(randomOrder(settings, size), { ...counts, fold: foldIn(settings, size) });
    case 'chronological':
      return cut(byTime(pack).reverse(), counts);
    case 'stratified':
      return spread(byClass(settings, pack), counts, settings);
    case 'grouped':
      return byGroup(settings, pack, counts);
  }
};

interface Counts {
  readonly validation: number;
  readonly test: number;
}

const checkCounts = (settings: TableSettings, size: number, counts: Counts): void => {
  if (counts.validation + counts.test < size && size >= (settings.folds ?? 0)) return;
  const has = size === 1 ? '1 sequence' : `${size} sequences`;
  if (size < (settings.folds ?? 0)) {
    throw tooFew({
      ...{ path: 'folds', got: has, help: 'Add sequences, or lower folds.' },
      message: `${settings.file} has ${has}: too few for ${settings.folds} folds.`,
    });
  }
  const message = `${settings.file} has ${has}: too few for a validation part of ${counts.validation} and a test part of ${counts.test}.`;
  throw tooFew({ message, got: has });
};

const tooFew = (given: {
  readonly message: string;
  readonly got: string;
  readonly path?: string;
  readonly help?: string;
}): DataError =>
  new DataError(
    {
      path: given.path ?? 'file',
      message: given.message,
      expected: 'sequences that are left to train on',
      got: given.got,
      help: given.help ?? 'Add sequences, lower the fractions, or name a validationFile and a testFile.',
    },
    { message: given.message },
  );

const randomOrder = ({ splitSeed }: TableSettings, size: number): Int32Array =>
  randomStream(splitSeed, 'split').permutation(size);

/** The fold that is the test part, counted from 0. */
const foldOf = ({ fold }: TableSettings): number => (fold ?? 1) - 1;

/** Where a fold begins and ends in an order. */
const foldIn = (settings: TableSettings, size: number): readonly [number, number] | undefined => {
  const { folds } = settings;
  if (folds === null) return undefined;
  const fold = foldOf(settings);
  return [Math.floor((size * fold) / folds), Math.floor((size * (fold + 1)) / folds)];
};

/** The first of an order are the test part, or one fold of it; those after it the validation part. */
const cut = (
  order: Int32Array,
  { validation, test, fold = [0, test] }: Counts & { readonly fold?: readonly [number, number] | undefined },
): DrawnParts => {
  const [from, to] = fold;
  const others = new Int32Array(order.length - (to - from));
  others.set(order.subarray(0, from));
  others.set(order.subarray(to), from);
  return {
    test: order.slice(from, to).sort(),
    validation: others.slice(0, validation).sort(),
    train: others.slice(validation).sort(),
  };
};

/** By time, and by their order in the file where times are equal or unknown. */
const byTime = (pack: Pack): Int32Array => {
  const order = indicesBelow(pack.sequences);
  if (pack.key !== 'time') return order;
  const times = keysOf(pack);
  return order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
};

/** The key of each sequence. */
const keysOf = (pack: Pack): Float64Array => {
  const keys = new Float64Array(pack.sequences);
  pack.visit(indicesBelow(pack.sequences), (sequence, numbers, from) => {
    keys[sequence] = numbers[from + pack.places(pack.steps(sequence)).key] as number;
  });
  return keys;
};

/** In random order, the sequences of a class together. */
const byClass = (settings: TableSettings, pack: Pack): Int32Array => {
  const classes = new Float64Array(pack.sequences);
  pack.visit(indicesBelow(pack.sequences), (sequence, numbers, from) => {
    classes[sequence] = numbers[from + pack.places(pack.steps(sequence)).targets] as number;
  });
  const order = randomOrder(settings, pack.sequences);
  // Sorting is stable, so the order within a class stays random.
  return order.sort((a, b) => (classes[a] as number) - (classes[b] as number));
};

/** Takes the parts at equal distances, so that each has its share of all neighbours in an order. */
const spread = (order: Int32Array, counts: Counts, settings: TableSettings): DrawnParts => {
  const { folds } = settings;
  const isTest =
    folds === null
      ? atEqualDistances(order.length, counts.test)
      : (at: number) => at % folds === foldOf(settings);
  const test = order.filter((_, at) => isTest(at));
  const others = order.filter((_, at) => !isTest(at));
  const isValidation = atEqualDistances(others.length, counts.validation);
  return {
    test: test.sort(),
    validation: others.filter((_, at) => isValidation(at)).sort(),
    train: others.filter((_, at) => !isValidation(at)).sort(),
  };
};

/** `count` of the positions below `size`. */
const atEqualDistances = (size: number, count: number): ((at: number) => boolean) => {
  const chosen = new Set(Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * size) / count)));
  return (at) => chosen.has(at);
};

/** Whole groups in random order: as many as fill a part. */
const byGroup = (settings: TableSettings, pack: Pack, counts: Counts): DrawnParts => {
  const keys = keysOf(pack);
  const members = new Map<number, number[]>();
  keys.forEach((key, sequence) => {
    const group = members.get(key);
    if (group) group.push(sequence);
    else members.set(key, [sequence]);
  });
  const groups = [...members.values()];
  const order = Array.from(randomOrder(settings, groups.length), (at) => groups[at] as number[]);
  const { folds } = settings;
  const isTest = folds === null ? filling(order, counts.test) : foldOfGroups(order, folds, foldOf(settings));
  const others = order.filter((group) => !isTest.has(group));
  const isValidation = filling(others, counts.validation);
  const part = (chosen: readonly (readonly number[])[]) => Int32Array.from(chosen.flat()).sort();
  const parts = {
    test: part(order.filter((group) => isTest.has(group))),
    validation: part(others.filter((group) => isValidation.has(group))),
    train: part(others.filter((group) => !isValidation.has(group))),
  };
  if (parts.train.length === 0 || (parts.test.length === 0 && settings.testFile === null)) {
    const has = groups.length === 1 ? '1 group' : `${groups.length} groups`;
    const message = `The column ${JSON.stringify(settings.splitBy)} of ${settings.file} has ${has}: too few for every part to have one.`;
    const help =
      folds === null
        ? undefined
        : `Add groups, lower folds${settings.validationFraction === 0 ? '' : ', or write `validationFraction: 0`'}.`;
    throw tooFew({ message, got: has, path: 'splitBy', ...(help !== undefined && { help }) });
  }
  return parts;
};

type Groups = readonly (readonly number[])[];

/** The first groups that together have at least `count` sequences. */
const filling = (order: Groups, count: number): ReadonlySet<readonly number[]> => {
  const chosen = new Set<readonly number[]>();
  let filled = 0;
  for (const group of order) {
    if (filled >= count) break;
    chosen.add(group);
    filled += group.length;
  }
  return chosen;
};

/** Each group, the largest first, comes to the fold that has the fewest sequences. */
const foldOfGroups = (order: Groups, folds: number, wanted: number): ReadonlySet<readonly number[]> => {
  const sizes = new Array<number>(folds).fill(0);
  const chosen = new Set<readonly number[]>();
  for (const group of order.toSorted((a, b) => b.length - a.length)) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] ?? 0) + group.length;
    if (fold === wanted) chosen.add(group);
  }
  return chosen;
};

/** As a column names them; what a fraction asks for is drawn from the sequences that are named `train`. */
const namedParts = (settings: TableSettings, pack: Pack): DrawnParts => {
  const keys = keysOf(pack);
  const membersOf = (part: string) => {
    const key = pack.keyLabels.indexOf(part);
    return indicesBelow(pack.sequences).filter((sequence) => keys[sequence] === key);
  };
  const named = { train: membersOf('train'), validation: membersOf('validation'), test: membersOf('test') };
  const wanted = {
    validation: settings.validationFraction ?? (settings.validationFile === null ? null : 0),
    test: settings.testFraction ?? (settings.testFile === null ? null : 0),
  };
  for (const part of ['validation', 'test'] as const) {
    const has = named[part].length;
    if (wanted[part] === null ? has > 0 : has === 0) continue;
    const column = JSON.stringify(settings.splitBy);
    throw new DataError({
      path:
        has > 0 && wanted[part] !== null && settings[`${part}Fraction`] !== null
          ? `${part}Fraction`
          : 'splitBy',
      message:
        has === 0
          ? `The column ${column} of ${settings.file} has no sequence of the ${part} part.`
          : `The column ${column} of ${settings.file} has ${has} sequences of the ${part} part, which is also defined otherwise.`,
      expected: `the ${part} part in one place`,
      got: `${has} sequences`,
      help:
        has === 0
          ? `Write ${part} in some rows, or draw the part from the training rows with \`${part}Fraction: 0.1\`${part === 'validation' ? '; 0 trains without one' : ''}.`
          : `Remove ${part}Fraction and ${part}File, or the rows of the part.`,
    });
  }
  const size = named.train.length;
  const count = (fraction: number | null) => (fraction ? Math.max(1, Math.round(size * fraction)) : 0);
  const counts = { validation: count(wanted.validation), test: count(wanted.test) };
  checkCounts(settings, size, counts);
  const order = randomOrder(settings, size).map((at) => named.train[at] as number);
  const drawn = cut(order, counts);
  return {
    train: drawn.train,
    validation: named.validation.length > 0 ? named.validation : drawn.validation,
    test: named.test.length > 0 ? named.test : drawn.test,
  };
};
