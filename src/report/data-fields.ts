import type { DataDescription, PlannedData } from '../plan/plan.ts';
import { counted, formatMetric, formatValue } from '../terminal/format.ts';
import { pad } from '../terminal/table.ts';

/** Names and classes on one line; of more, the first and how many more there are. */
const mostNames = 12;

/** Datasets of a sweep that are described in full. */
const mostDatasets = 3;

const partTitles = { train: 'training', validation: 'validation', test: 'test' } as const;

type PartDescription = NonNullable<DataDescription['parts']['train']>;

/** What data is, as label and text: inputs, targets, and each part. */
export const dataFields = ({
  inputs,
  target,
  missing = {},
  vectors = [],
  parts,
}: DataDescription): [label: string, text: string][] => [
  ['inputs', inputText(inputs)],
  ['targets', targetText(target)],
  ...(Object.keys(missing).length > 0 ? [['missing', missingText(missing)] as [string, string]] : []),
  ...vectors.map((one): [string, string] => ['vectors', vectorsText(one)]),
  ...Object.entries(partTitles).flatMap(([name, title]): [string, string][] => {
    const part = parts[name as keyof typeof partTitles];
    return part ? [[title, partText(part, target)]] : [];
  }),
];

/** The datasets of a plan as lines; `axes` are what varies. */
export const plannedDataLines = (data: readonly PlannedData[], axes: readonly string[]): string[] => {
  const shown = data.slice(0, mostDatasets);
  const more = data.length - shown.length;
  return [
    ...shown.flatMap(({ dataset, description }) => [
      `data of ${[dataset.name, ...variedSettings(dataset, axes)].join(', ')}`,
      ...dataFields(description).map(([label, text]) => `  ${pad(label, 10)} ${text}`),
    ]),
    ...(more > 0 ? [`and ${counted(more, 'other form')} of the data; --json has all`] : []),
  ];
};

const variedSettings = (dataset: PlannedData['dataset'], axes: readonly string[]): string[] =>
  axes
    .filter((path) => path.startsWith('dataset.') && path !== 'dataset.name')
    .map((path) => path.slice('dataset.'.length))
    .filter((key) => key in dataset)
    .map((key) => `${key} ${formatValue(dataset[key])}`);

const inputText = (inputs: DataDescription['inputs']): string => {
  if (inputs.kind === 'tokens') return `one of ${inputs.vocabulary} tokens a step`;
  const { features, names = [] } = inputs;
  const head = `${counted(features, 'feature')} a step`;
  if (names.length === 0) return head;
  return `${head}${names.length > features ? ', from the columns ' : ': '}${listed(names.map(named))}`;
};

const missingText = (missing: Readonly<Record<string, number>>): string =>
  listed(Object.entries(missing).map(([column, count]) => `${named(column)} ${counted(count, 'value')}`));

const vectorsText = ({ file, tokens, found }: NonNullable<DataDescription['vectors']>[number]): string =>
  `${file} has ${found} of ${counted(tokens, 'token')} (${((100 * found) / tokens).toFixed(1)} %)`;

const targetText = (target: DataDescription['target']): string => {
  const each = target.each === 'step' ? 'at each step' : 'for each sequence';
  if (target.kind === 'numbers') {
    const { names = [], outputs, horizon } = target;
    const when = horizon === undefined ? each : `for each of the next ${counted(horizon, 'step')}`;
    return `${counted(outputs, 'number')} ${when}${names.length > 0 ? `: ${listed(names.map(named))}` : ''}`;
  }
  return target.kind === 'labels'
    ? `any of ${target.classes} labels ${each}`
    : `one of ${target.classes} classes ${each}`;
};

const partText = (
  { sequences, steps, tokens, unknown = {}, counts, majority, ranges }: PartDescription,
  target: DataDescription['target'],
): string =>
  [
    `${counted(sequences, 'sequence')}${steps ? ` of ${stepsText(steps)}` : ''}`,
    ...(tokens ? [tokensText(tokens)] : []),
    ...Object.entries(unknown).map(
      ([column, count]) => `${counted(count, 'unknown value')} of ${named(column)}`,
    ),
    ...(counts && target.kind !== 'numbers' ? [countsText(counts, target.labels)] : []),
    ...(majority ? [majorityText(majority)] : []),
    ...(ranges ?? []).slice(0, mostNames).map(({ min, mean, max }, at) => {
      const name = target.kind === 'numbers' ? target.names?.[at] : undefined;
      const range = `${formatMetric(min)} to ${formatMetric(max)}, mean ${formatMetric(mean)}`;
      return name === undefined ? range : `${named(name)} ${range}`;
    }),
  ].join('; ');

const majorityText = ({ label, share, weighted }: NonNullable<PartDescription['majority']>): string =>
  `${(100 * share).toFixed(1)} %${weighted ? ' by weight' : ''} are ${named(label)}`;

const stepsText = ({ min, median, max }: NonNullable<PartDescription['steps']>): string =>
  min === max ? counted(max, 'step') : `${min} to ${max} steps, median ${median}`;

const tokensText = ({ count, unknown }: NonNullable<PartDescription['tokens']>): string =>
  `${counted(count, 'token')}, ${((100 * unknown) / count).toFixed(1)} % of them unknown`;

/** The classes with their counts, the most frequent first where not all fit. */
const countsText = (counts: readonly number[], labels: readonly string[] = []): string => {
  const all = counts.map((count, at) => ({ count, label: labels[at] ?? String(at) }));
  const shown =
    all.length > mostNames ? all.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count) : all;
  return listed(shown.map(({ label, count }) => `${named(label)} ${count}`));
};

/** A name as it is, or in quotes where it could be misread. */
const named = (name: string): string => (/^[^\s",;:]+$/.test(name) ? name : JSON.stringify(name));

const listed = (names: readonly string[]): string => {
  const shown = names.slice(0, mostNames);
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};
