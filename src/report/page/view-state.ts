import type { ComparedConfiguration, ComparisonGroup } from '../compare.ts';
import type { ReportData } from '../report-data.ts';

/** What the reader has chosen; sections that depend on it listen. */
export interface ViewState {
  readonly data: ReportData;
  /** Configurations whose curves are drawn. */
  readonly drawn: Set<string>;
  /** The run whose details are shown. */
  runId: string | null;
  readonly listen: (listener: () => void) => void;
  /** Calls the listeners after a change. */
  readonly changed: () => void;
}

const drawnAtFirst = 5;

/** A name for a configuration that stays the same while it is sorted: its first run's id. */
export const configurationKey = (configuration: ComparedConfiguration): string =>
  configuration.runs[0]?.id ?? '';

/** The run to look at first in a configuration: the one with the best objective. */
export const bestRun = ({ comparison }: ReportData, configuration: ComparedConfiguration): string | null => {
  const sign = comparison.objective.goal === 'maximize' ? 1 : -1;
  const ranked = [...configuration.runs].sort(
    (a, b) => sign * (b.value ?? -sign * Infinity) - sign * (a.value ?? -sign * Infinity),
  );
  return ranked[0]?.id ?? null;
};

export const createViewState = (data: ReportData): ViewState => {
  const listeners: (() => void)[] = [];
  const { configurations } = data.comparison;
  return {
    data,
    drawn: new Set(configurations.slice(0, drawnAtFirst).map(configurationKey)),
    runId: configurations[0] ? bestRun(data, configurations[0]) : null,
    listen: (listener) => void listeners.push(listener),
    changed: () => {
      for (const listener of listeners) listener();
    },
  };
};

/** The settings of a configuration in a few words. */
export const configurationName = (
  { names, comparison }: ReportData,
  configuration: ComparedConfiguration,
): string =>
  comparison.axes
    .filter((path) => configuration.values[path] !== undefined)
    .map((path) => `${names[path] ?? path} ${showValue(configuration.values[path])}`)
    .join(', ') || comparison.experiment;

/** What sets a group apart from those that it cannot be compared with; empty where there is one group. */
export const groupName = ({ values }: ComparisonGroup): string =>
  Object.entries(values)
    .map(([path, value]) => `${path} ${showValue(value)}`)
    .join(', ');

/** Configurations of the first group: charts of all settings take no scores that cannot be compared. */
export const firstGroup = ({ comparison }: ReportData): readonly ComparedConfiguration[] =>
  comparison.configurations.filter(({ group }) => group === 0);

/** The different values of a setting: numbers by size, others in the order in which the plan has them. */
export const settingsOf = ({ comparison, runs }: ReportData, path: string): string[] => {
  const values = [...new Set(comparison.configurations.map((configuration) => configuration.values[path]))];
  if (values.every((value) => typeof value === 'number')) return values.sort((a, b) => a - b).map(showValue);
  const planned = [...new Set(Object.values(runs).map(({ config }) => showValue(config[path])))];
  return [...new Set(values.map(showValue))].sort((a, b) => planned.indexOf(a) - planned.indexOf(b));
};

/** A setting as in the spec. */
export const showValue = (value: unknown): string =>
  value === undefined || value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

/** A measured number with at least four significant digits. */
export const showNumber = (value: number): string => {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(3);
  if (Number.isInteger(value)) return size >= 10 ? String(value) : value.toFixed(4);
  return value.toFixed(size >= 100 ? 1 : size >= 0.1 ? 4 : 3 - Math.floor(Math.log10(size)));
};
