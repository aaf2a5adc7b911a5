import type { Plan } from '../plan/plan.ts';
import type { Json } from '../system/json.ts';
import { counted, formatValue } from '../terminal/format.ts';
import { renderTable, type Column } from '../terminal/table.ts';
import { flattenConfig } from '../plan/flat-settings.ts';

/** One thing in which two plans of a spec differ, as people read it. */
export interface PlanChange {
  readonly what: string;
  readonly frozen: string;
  readonly today: string;
}

/** How today's plan of a spec differs from the one that a sweep was started with; empty where it does not. */
export const diffPlans = (frozen: Plan, today: Plan): readonly PlanChange[] => {
  const before = settingsOf(frozen);
  const now = settingsOf(today);
  const settings = [...new Set([...before.keys(), ...now.keys()])].map((what): PlanChange => ({
    what,
    frozen: before.get(what) ?? nothing,
    today: now.get(what) ?? nothing,
  }));
  return [...settings, runsOf(frozen, today)].filter((one) => one.frozen !== one.today);
};

const nothing = '–';

/** Values of a setting that are named one by one. */
const namedValues = 6;

/** Every setting with the values that it has over the runs, and the settings beside the runs. */
const settingsOf = (plan: Plan): ReadonlyMap<string, string> => {
  const values = new Map<string, Set<string>>();
  const add = (path: string, value: Json) => {
    const known = values.get(path) ?? new Set<string>();
    values.set(path, known.add(formatValue(value)));
  };
  const flattened = new Set<string>();
  for (const run of plan.runs) {
    add('seeds', run.seed);
    if (flattened.has(run.cell)) continue;
    flattened.add(run.cell);
    for (const [path, value] of flattenConfig(run.config)) add(path, value);
    add(`data of ${run.config.dataset.name}`, run.datasetDigest.slice(0, 12));
    for (const [part, version] of Object.entries(run.versions)) add(`version of the ${part}`, version);
  }
  const { retries, retryOn, timeoutMs, budget, onError } = plan.execution;
  const beside = {
    objective: plan.objective,
    expect: plan.expect,
    tracking: plan.tracking,
    limits: { retries, retryOn, timeoutMs, budget, onError },
  };
  return new Map([
    ...[...values].map(([path, some]) => [path, listed([...some])] as const),
    ...Object.entries(beside).map(([what, value]) => [what, JSON.stringify(value)] as const),
  ]);
};

const listed = (values: readonly string[]): string =>
  values.length > namedValues
    ? `${values.slice(0, namedValues).join(', ')}, ... (${values.length})`
    : values.join(', ');

const runsOf = (frozen: Plan, today: Plan): PlanChange => {
  const before = new Set(frozen.runs.map(({ id }) => id));
  const same = today.runs.filter(({ id }) => before.has(id)).length;
  const added = today.runs.length - same;
  const gone = frozen.runs.length - same;
  const changed = added + gone > 0 ? ` (${added} new, ${gone} gone)` : '';
  return {
    what: 'runs',
    frozen: counted(frozen.runs.length, 'run'),
    today: `${counted(today.runs.length, 'run')}${changed}`,
  };
};

/** The changes as a table. */
export const renderPlanDiff = (changes: readonly PlanChange[], width: number): string[] => {
  const columns = ['', 'frozen', 'today'].map((title): Column => ({ title, align: 'left', keep: Infinity }));
  return renderTable(
    columns,
    changes.map(({ what, frozen, today }) => [what, frozen, today].map((text) => ({ text }))),
    { width },
  );
};
