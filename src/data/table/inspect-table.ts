import { basename } from 'node:path';
import type { ParameterIssue } from '../../parameters/row.ts';
import { DataError, type DataContext, type SequenceShape } from '../dataset.ts';
import { createPartTally, describeShape } from '../describe.ts';
import {
  partNames,
  partWords,
  type DataDescription,
  type DataInspection,
  type PartDescription,
  type PartName,
} from '../description.ts';
import { constantTarget } from '../constant-target.ts';
import { singleClass } from '../inspect.ts';
import { keptJson } from '../packed-folder.ts';
import type { TableFormat } from './ensure-pack.ts';
import { openTable, type OpenTable, type TablePart } from './load-table.ts';
import { isClassTask, isPerStep, targetSize } from '../task.ts';
import { categoriesOf, inputNames, type Encoding } from './encoding.ts';
import { labelSets, targetWriter } from './examples.ts';
import type { TableSettings } from './parameters.ts';
import { unmatchedLabels, unmatchedWarning, type UnmatchedLabels } from './unmatched-labels.ts';
import { findShared, type Shared } from './shared-sequences.ts';
import { suspiciousColumns, type SuspiciousColumn } from './suspicious-columns.ts';

/** Raised whenever the same table would give other findings. */
const findingsVersion = 6;

/** What reading a table once finds; plain JSON, kept in the cache. */
interface Findings {
  readonly parts: DataDescription['parts'];
  readonly unknown: readonly Unknown[];
  readonly shared: readonly Shared[];
  readonly columns: readonly SuspiciousColumn[];
  /** Parts in which no sequence has a weight above 0. */
  readonly weightless: readonly PartName[];
  readonly unmatched?: UnmatchedLabels;
}

/** Describes and checks the parts of a table. Throws `DataError` for what cannot be trained on. */
export const inspectTable = async (format: TableFormat, context: DataContext): Promise<DataInspection> =>
  inspectOpenTable(await openTable(format, context), format.settings);

/** As `inspectTable`, of a table that is open already. */
export const inspectOpenTable = async (
  table: OpenTable,
  parameters: TableSettings,
): Promise<DataInspection> => {
  const { shape, parts } = table;
  const { task } = shape;
  if (isClassTask(task) && task.classes === 1) {
    const what = `The target ${JSON.stringify(parameters.targets[0])} of ${parameters.file}`;
    throw singleClass({ path: 'targets', what, label: task.labels?.[0] ?? '' });
  }
  const findings = await keptFindings(table, parameters);
  const [weightless] = findings.weightless;
  if (weightless !== undefined) throw withoutWeight(weightless, parameters);
  const numbers = manyNumbers(parameters, shape, findings.parts);
  const { pack } = parts.train;
  const isWide = pack.columns.length > pack.features.length;
  const names = {
    features: isWide ? pack.columns : inputNames(pack, table.encoding),
    targets: parameters.targets,
  };
  const missing = missingIn(table);
  return {
    description: {
      ...describeShape(shape, names),
      ...(Object.keys(missing).length > 0 && { missing }),
      parts: withUnknown(findings, partsOf(table)),
    },
    warnings: [
      ...columnWarnings(parameters, { columns: findings.columns, all: parts.train.pack.columns }),
      ...constantTargets(parameters, shape, findings.parts),
      ...(numbers.length > 0 ? numbers : missingClasses(parameters, shape, findings.parts)),
      ...findings.unknown.map((unknown) => unknownWarning(parameters, partsOf(table), unknown)),
      ...(findings.unmatched ? [unmatchedWarning(parameters, findings.unmatched)] : []),
      ...withoutEcho(findings.shared).map((shared) => sharedWarning(parameters, partsOf(table), shared)),
    ],
  };
};

/** The parts, with how many of their categories the training part lacks. */
const withUnknown = (
  { parts, unknown }: Findings,
  names: readonly (readonly [PartName, TablePart])[],
): DataDescription['parts'] => {
  const described = names.map(([name], at) => {
    const counts = unknown.flatMap(({ part, column, count }) =>
      part === at ? [[column, count] as const] : [],
    );
    return [
      name,
      { ...parts[name], ...(counts.length > 0 && { unknown: Object.fromEntries(counts) }) },
    ] as const;
  });
  return Object.fromEntries(described);
};

/** How many values of each column are missing in all files together. */
const missingIn = (table: OpenTable): Readonly<Record<string, number>> => {
  const packs = new Set(partsOf(table).map(([, { pack }]) => pack));
  const missing: Record<string, number> = {};
  for (const pack of packs)
    for (const [column, count] of Object.entries(pack.missing))
      missing[column] = (missing[column] ?? 0) + count;
  return missing;
};

/** What two parts share with the training part, they often share with one another. */
const withoutEcho = (shared: readonly Shared[]): readonly Shared[] => {
  const withTraining = shared.filter(({ earlier }) => earlier === 0);
  return withTraining.length > 0 ? withTraining : shared;
};

export const partsOf = ({ parts }: OpenTable): readonly (readonly [PartName, TablePart])[] =>
  partNames.flatMap((name) => {
    const part = parts[name];
    return part ? [[name, part] as const] : [];
  });

const keptFindings = (table: OpenTable, parameters: TableSettings): Promise<Findings> => {
  const parts = partsOf(table);
  const packs = parts.map(([name, { folder }]) => [name, basename(folder)]);
  // Where the files are is no part of what is in them.
  const settings = { ...parameters, file: '', validationFile: '', testFile: '', labelsFile: '' };
  const key = { packs, settings };
  return keptJson<Findings>({ name: 'findings.json', key: ['table findings', findingsVersion, key] }, () => ({
    parts: Object.fromEntries(parts.map(([name, part]) => [name, describePart(table.shape, part)])),
    unknown: parts.flatMap(([, part], at) => unknownIn(part, { encoding: table.encoding, part: at })),
    shared: findShared(parts.map(([, { pack, members }]) => ({ pack, sequences: members }))),
    // Who names a column means it.
    columns: parameters.features === null ? suspiciousColumns(table.parts.train.pack) : [],
    weightless: parts.flatMap(([name, part]) => (isWeightless(part) ? [name] : [])),
    ...unmatchedLabels(
      parameters,
      table.labels,
      parts.map(([, { pack }]) => pack),
    ),
  }));
};

const isWeightless = ({ pack, members }: TablePart): boolean => {
  if (!pack.weighted) return false;
  let largest = 0;
  pack.visit(members, (sequence, record, from) => {
    largest = Math.max(largest, Math.fround(record[from + pack.places(pack.steps(sequence)).weight] ?? 0));
  });
  return largest === 0;
};

const withoutWeight = (part: PartName, { weight, file }: TableSettings): DataError =>
  new DataError({
    path: 'weight',
    message: `Each sequence of the ${partWords[part]} part of ${file} has the weight 0, so that none of them counts.`,
    expected: 'a weight above 0 in each part',
    got: `only 0 in the column ${JSON.stringify(weight)}`,
    help: 'Raise some of the weights, or remove `weight`.',
  });

const describePart = (shape: SequenceShape, { pack, members }: TablePart): PartDescription => {
  const tally = createPartTally(shape);
  const write = targetWriter(pack, { shape, encoding: { columns: [], targets: [] } });
  const sets = labelSets(pack, shape.task);
  const targets = new Float64Array(targetSize(shape.task) * (isPerStep(shape.task) ? pack.longest : 1));
  pack.visit(members, (sequence, record, from) => {
    const steps = pack.steps(sequence);
    const places = pack.places(steps);
    const set = sets?.[record[from + places.targets] as number];
    if (set) {
      tally.addSet(steps, set);
      return;
    }
    write({ record, targets, targetsAt: 0 }, from + places.targets, places.targetCount);
    tally.add(steps, targets, 0, pack.weighted ? Math.fround(record[from + places.weight] as number) : 1);
  });
  return tally.description();
};

/** Categories of a part that the training part lacks. */
interface Unknown {
  readonly part: number;
  readonly column: string;
  /** Cells, at a step or of a sequence. */
  readonly count: number;
  readonly categories: readonly string[];
}

const unknownIn = (
  { pack, members }: TablePart,
  { encoding, part }: { readonly encoding: Encoding; readonly part: number },
): readonly Unknown[] => {
  const { features, statics } = pack;
  const width = features.length;
  return [...features, ...statics].flatMap((column, at) => {
    const known = encoding.columns[at];
    const categories = categoriesOf(pack, column);
    if (known?.kind !== 'category' || !categories) return [];
    const labels = new Set(known.labels);
    const isKnown = categories.map((label) => labels.has(label));
    const found = new Map<number, number>();
    const see = (category: number) => {
      if (isKnown[category] === false) found.set(category, (found.get(category) ?? 0) + 1);
    };
    pack.visit(members, (sequence, numbers, from) => {
      const steps = pack.steps(sequence);
      if (at >= width) see(numbers[from + pack.places(steps).statics + at - width] as number);
      else for (let step = 0; step < steps; step++) see(numbers[from + step * width + at] as number);
    });
    const count = [...found.values()].reduce((sum, one) => sum + one, 0);
    const names = [...found.keys()].map((category) => categories[category] as string);
    return count === 0 ? [] : [{ part, column, count, categories: names }];
  });
};

const unknownWarning = (
  settings: TableSettings,
  parts: readonly (readonly [PartName, TablePart])[],
  { part, column, count, categories }: Unknown,
): ParameterIssue => {
  const [name] = parts[part] as readonly [PartName, TablePart];
  const shown = categories.slice(0, mostClassesNamed).map((category) => JSON.stringify(category));
  const more = categories.length - shown.length;
  const one = categories.length === 1;
  return {
    path: 'categorical',
    message: `The ${partWords[name]} part has ${one ? 'a category' : 'categories'} of ${JSON.stringify(column)} that the training part lacks: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}, in ${count} ${count === 1 ? 'cell' : 'cells'}.`,
    expected: 'categories of the training part',
    got: `${count} unknown ${count === 1 ? 'cell' : 'cells'}`,
    help: `The network reads them as unknown. Add sequences with ${one ? 'it' : 'them'} to the training part${fileParameter(settings, name) === 'file' ? ', or draw other parts with `splitSeed`' : ''}.`,
  };
};

const becauseWords: Readonly<Record<SuspiciousColumn['because'], string>> = {
  'no-name': 'although it has no name',
  name: 'although its name is that of an index',
  'counts-rows': 'although it only counts the rows',
  'counts-sequences': 'although it only counts the sequences',
  'counts-steps': 'although it only counts the steps of each sequence',
};

/** More names than that are no help in a message. */
const mostProposed = 8;

const columnWarnings = (
  { file, order, layout }: TableSettings,
  { columns, all }: { readonly columns: readonly SuspiciousColumn[]; readonly all: readonly string[] },
): readonly ParameterIssue[] => {
  const suspicious = new Set(columns.map(({ column }) => column));
  const others = all.filter((column) => !suspicious.has(column));
  const proposed =
    others.length === 0 || others.length > mostProposed
      ? 'Name the columns to train on with `features`, or remove this one from the file.'
      : `To train without it, write \`features: ${JSON.stringify(others)}\`.`;
  return columns.map(({ column, because }) => ({
    path: 'file',
    message: `${file}:1: the column ${JSON.stringify(column)} is used as a feature, ${becauseWords[because]}.`,
    expected: 'features that help to predict the target',
    got: `${JSON.stringify(column)} among ${all.length} features that are not named in the spec`,
    help:
      because === 'counts-steps' && order === null && layout === 'long'
        ? `If it gives the order of the steps, write \`order: ${JSON.stringify(column)}\`. ${proposed}`
        : proposed,
  }));
};

/** Numbers to predict that are the same in all that is trained on. */
const constantTargets = (
  { file, targets }: TableSettings,
  { task }: SequenceShape,
  { train }: DataDescription['parts'],
): readonly ParameterIssue[] =>
  task.kind !== 'regression' || train === undefined || train.sequences < 2
    ? []
    : (train.ranges ?? []).flatMap(({ min, max }, at) =>
        min === max ? [constantTarget({ file, target: targets[at] ?? String(at + 1), value: min })] : [],
      );

/** Up to this many numbers may well be names of classes. */
const fewNumbers = 10;

/** More numbers are classes only where each of them comes back. */
const manyClasses = 20;
const leastOfClass = 10;

/** Numbers as classes that look like quantities: many of them, and each of few sequences. */
const manyNumbers = (
  { file, targets }: TableSettings,
  { task }: SequenceShape,
  parts: DataDescription['parts'],
): readonly ParameterIssue[] => {
  if (!isClassTask(task)) return [];
  const numbers = (task.labels ?? []).map((label) => (label.trim() === '' ? NaN : Number(label)));
  const different = new Set(numbers).size;
  if (different <= fewNumbers || !numbers.every(Number.isFinite)) return [];
  const total = Object.values(parts).reduce((sum, part) => sum + targetsIn(part), 0);
  const rare = total < leastOfClass * different;
  const isSuspicious =
    !numbers.every(Number.isInteger) || (different > manyClasses && rare) || total < 2 * different;
  if (!isSuspicious) return [];
  return [
    {
      path: 'targets',
      message: `${file}:1: the column ${JSON.stringify(targets[0])} has ${different} different numbers, and each is taken as a class.`,
      expected: 'labels that come back, or task: regression',
      got: `${different} classes in ${total} targets`,
      help: 'If they are quantities to predict, write `task: regression` in dataset.',
    },
  ];
};

const targetsIn = ({ counts, sequences }: PartDescription): number =>
  counts ? counts.reduce((sum, count) => sum + count, 0) : sequences;

/** The parameter that decides where a part comes from. */
const fileParameter = (parameters: TableSettings, part: PartName) => {
  const own = part === 'train' ? 'file' : (`${part}File` as const);
  return parameters[own] === null ? 'file' : own;
};

const mostClassesNamed = 5;

/** Classes that the network never sees while it is trained. */
const missingClasses = (
  parameters: TableSettings,
  { task }: SequenceShape,
  { train, ...others }: DataDescription['parts'],
): readonly ParameterIssue[] => {
  const counts = train?.counts;
  if (!isClassTask(task) || !counts) return [];
  const missing = counts.flatMap((count, at) => (count === 0 ? [at] : []));
  if (missing.length === 0) return [];
  const unit = task.kind === 'classification' ? 'sequences' : 'steps';
  const named = missing.slice(0, mostClassesNamed).map((at) => {
    const where = Object.entries(others).flatMap(([name, part]) => {
      const count = part.counts?.[at] ?? 0;
      return count > 0
        ? [`${count} ${count === 1 ? unit.slice(0, -1) : unit} of the ${partWords[name as PartName]} part`]
        : [];
    });
    return `${JSON.stringify(task.labels?.[at] ?? String(at))} (${where.join(', ')})`;
  });
  const more = missing.length - named.length;
  const isDrawn = Object.keys(others).some((name) => fileParameter(parameters, name as PartName) === 'file');
  return [
    {
      path: 'file',
      message: `The training part has no example of ${missing.length === 1 ? 'the class' : 'the classes'} ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
      expected: 'each class in the training part',
      got: `${counts.length - missing.length} of ${counts.length} classes`,
      help: isDrawn
        ? 'Add examples of it to the data, or draw other parts with `splitSeed`.'
        : `Add examples of it to ${parameters.file}, or remove them from the other files.`,
    },
  ];
};

const sharedWarning = (
  parameters: TableSettings,
  parts: readonly (readonly [PartName, TablePart])[],
  { part, earlier, identical, overlapping }: Shared,
): ParameterIssue => {
  const [name, { members }] = parts[part] as readonly [PartName, TablePart];
  const [other] = parts[earlier] as readonly [PartName, TablePart];
  const found = [
    ...(identical > 0 ? [`${identical} of its ${members.length} are also there`] : []),
    ...(overlapping > 0 ? [`${overlapping} of its ${members.length} overlap with some of it`] : []),
  ];
  return {
    path: fileParameter(parameters, name),
    message: `The ${partWords[name]} part shares sequences with the ${partWords[other]} part: ${found.join(', and ')}.`,
    expected: 'parts that share nothing, so that a result shows more than memory',
    got: `${identical + overlapping} of ${members.length} sequences`,
    help:
      overlapping > 0
        ? 'Cut windows of one series after it is split: earlier rows into `file`, later ones into `validationFile` and `testFile`. To forecast, give the series itself to the dataset csv-series, which cuts it so.'
        : 'Remove the duplicates, or put all copies of a sequence into the same file.',
  };
};
