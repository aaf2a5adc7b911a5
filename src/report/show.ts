import { dirname } from 'node:path';
import { createColours } from '../terminal/colours.ts';
import { widthOf } from '../terminal/width.ts';
import { originOf } from '../plan/origin.ts';
import type { Run } from '../plan/plan.ts';
import { counted, formatDuration, formatMetric, formatTime, formatValue } from '../terminal/format.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import { sparkline } from '../terminal/sparkline.ts';
import { fit, pad, renderTable, type Column } from '../terminal/table.ts';
import { textWidth } from '../terminal/wrap.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import type { EnvironmentFile, EvaluationFile, PartEvaluation } from '../record/run-files.ts';
import { resumeWords, type RecordedRun, type RunState } from '../record/run-state.ts';
import { baselineLines, stepErrorLines } from './baseline-table.ts';
import { dataFields } from './data-fields.ts';
import type { TextOptions } from './render-compare.ts';
import type { RunDetails } from './run-details.ts';
import { flattenConfig } from '../plan/flat-settings.ts';

const labelWidth = 11;

/** One run for people: configuration, state with its reason, metrics with their curves, environment, files, what next. */
export const renderRun = (details: RunDetails, { width, colour }: TextOptions): string => {
  const pc = createColours(colour);
  const { recorded, environment, files, logTail } = details;
  const { run, state } = recorded;
  const paint = stateColour(state, colour);
  const field = (label: string, text: string) => `  ${pc.dim(pad(label, labelWidth))} ${text}`;
  const section = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? ['', pc.bold(title), ...lines] : [];

  const name = runName(run, shortNames(Object.keys(run.varying)));
  const lines = [`${pc.bold(`${run.experiment}/${run.id}`)}  ${paint(state)}`];
  if (name !== run.experiment) lines.push(`  ${name}`);
  if (recorded.reason) lines.push(`  ${paint(recorded.reason)}`);

  lines.push(
    ...section(
      'status',
      statusFields(details).map(([label, text]) => field(label, text)),
    ),
  );
  lines.push(
    ...section(
      'configuration',
      configurationFields(run, textWidth(width) - labelWidth - 3).map(([label, text]) => field(label, text)),
    ),
  );
  if (details.data) {
    const fields = dataFields(details.data).flatMap(([label, text]) =>
      inLines(text.split('; '), textWidth(width) - labelWidth - 3, ';').map((line, at) =>
        field(at === 0 ? label : '', line),
      ),
    );
    lines.push(...section('data', fields));
  }
  lines.push(...section('metrics', metricLines(details, width)));
  if (details.evaluation) {
    const { validation, labels } = details.evaluation;
    const { values } = details;
    const network = { mae: values['test/mae'], mse: values['test/mse'] };
    lines.push(
      ...section('baselines on the test part', baselineLines(details.evaluation, network, { width })),
    );
    lines.push(...section('errors by steps ahead', stepErrorLines(details.evaluation, { width })));
    lines.push(...section('classes of the test part', classLines(details.evaluation, { width })));
    if (validation)
      lines.push(
        ...section(
          'classes of the validation part',
          classLines({ ...validation, ...(labels && { labels }) }, { width }),
        ),
      );
  }
  if (environment) {
    const fields = environmentFields(environment).map(([label, text]) => field(label, text));
    lines.push(...section('environment', fields));
  }
  if (state === 'failed' || state === 'interrupted') {
    lines.push(
      ...section(
        'end of the log',
        logTail.map((line) => `  ${fit(line, width - 2)}`),
      ),
    );
  }
  lines.push(...section('files', [`  ${recorded.directory}`, `  ${files.join('  ')}`]));
  const next = whatNext(recorded);
  if (next) lines.push(...section('next', [`  ${next}`]));
  return lines.join('\n');
};

export const stateColour = (state: RunState, colour: boolean) => {
  const pc = createColours(colour);
  const colours = {
    done: pc.green,
    running: pc.cyan,
    pruned: pc.dim,
    failed: pc.red,
    interrupted: pc.yellow,
    stale: pc.magenta,
    new: pc.dim,
  };
  return colours[state];
};

const statusFields = ({ recorded, series, taken }: RunDetails): [string, string][] => {
  const { status, run } = recorded;
  if (!status) return [];
  const reached = Math.max(0, ...[...series.values()].map((one) => one.steps.at(-1) ?? 0));
  const fields: [string, string][] = [['began', formatTime(status.startedAt)]];
  if (status.endedAt !== null) fields.push(['ended', formatTime(status.endedAt)]);
  if (status.outcome) fields.push(['trained', formatDuration(status.outcome.elapsedMs)]);
  const of = run.config.train.steps === null ? '' : ` of ${run.config.train.steps}`;
  fields.push(['steps', `${status.outcome?.step ?? reached}${of}`]);
  const { keptStep, step } = status.outcome ?? {};
  if (keptStep !== undefined && keptStep !== step)
    fields.push(['weights', `of step ${keptStep}, the best evaluation; the values below are theirs`]);
  for (const origin of originOf(run)) fields.push(['origin', origin]);
  if (taken) fields.push(['taken', `from the store ${taken.store}, ${formatTime(taken.takenAt)}`]);
  if (status.attempt > 1) fields.push(['attempt', String(status.attempt)]);
  return fields;
};

/** Section by section, the settings that have a value, in as many lines as they need. */
const configurationFields = ({ config, seed }: Run, width: number): [string, string][] => {
  const flat = [...flattenConfig(config)].filter(([, value]) => value !== null);
  const sections = (['dataset', 'model', 'optimizer', 'loss', 'train'] as const).map(
    (key): [string, string][] => {
      const section = config[key];
      if (!section) return [];
      const settings = flat
        .filter(([path]) => path.startsWith(`${key}.`) && path !== `${key}.name`)
        .map(([path, value]) => `${path.slice(key.length + 1)} ${formatValue(value)}`);
      const name = 'name' in section ? [section.name] : [];
      return inLines([...name, ...settings], width).map((line, at) => [at === 0 ? key : '', line]);
    },
  );
  return [...sections.flat(), ['seed', String(seed)]];
};

/** Items with commas between them, broken into lines of at most `width` where an item ends. */
const inLines = (items: readonly string[], width: number, separator = ','): string[] => {
  const lines: string[] = [];
  for (const [at, item] of items.entries()) {
    const text = at < items.length - 1 ? `${item}${separator}` : item;
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(text) <= width) {
      lines[lines.length - 1] = `${last} ${text}`;
    } else lines.push(text);
  }
  return lines;
};

const metricColumns: readonly Column[] = [
  { title: '  metric', align: 'left', keep: Infinity },
  { title: 'value', align: 'right', keep: Infinity },
  { title: 'lowest', align: 'right', keep: 5 },
  { title: 'highest', align: 'right', keep: 4 },
  { title: 'points', align: 'right', keep: 1 },
  { title: 'curve', align: 'left', keep: 3 },
];

const metricLines = ({ series, values: kept }: RunDetails, width: number): string[] => {
  const rows = [...series].map(([name, { values }]) => {
    const finite = values.filter(Number.isFinite);
    const several = values.length > 1 && finite.length > 0;
    return [
      `  ${name}`,
      formatMetric(kept[name] ?? NaN),
      several ? formatMetric(finite.reduce((a, b) => Math.min(a, b))) : '',
      several ? formatMetric(finite.reduce((a, b) => Math.max(a, b))) : '',
      String(values.length),
      several ? sparkline(values, 24) : '',
    ].map((text) => ({ text }));
  });
  return rows.length > 0 ? renderTable(metricColumns, rows, { width }) : [];
};

const ownKernelsOf = ({ ownKernels, instructionSet }: EnvironmentFile): string => {
  if (ownKernels === undefined) return '';
  return ownKernels === null
    ? ", without Unroll's kernels"
    : `, Unroll's kernels for ${instructionSet ?? 'this processor'}`;
};

export const environmentFields = (environment: EnvironmentFile): [string, string][] => {
  const { git } = environment;
  return [
    ['command', environment.commandLine],
    [
      'versions',
      `unroll ${environment.unroll}, TensorFlow ${environment.tensorflow}, Node ${environment.node}`,
    ],
    [
      'back end',
      `${environment.backend}, kernel ${environment.kernel}, ${counted(environment.threads, 'thread')}${ownKernelsOf(environment)}`,
    ],
    [
      'machine',
      `${environment.host}: ${environment.cpu}, ${counted(environment.cores, 'core')}, ${environment.platform}`,
    ],
    ...(git
      ? ([
          [
            'git',
            `${git.commit.slice(0, 12)} on ${git.branch}${git.dirty ? ', with uncommitted changes' : ''}`,
          ],
        ] as [string, string][])
      : []),
  ];
};

const whatNext = ({ run, state, directory }: RecordedRun): string => {
  const propose = (...words: readonly string[]) => proposedCommand(words, dirname(dirname(directory)));
  switch (state) {
    case 'interrupted':
    case 'new':
      return `resume with: ${propose('resume', run.experiment)}`;
    case 'failed':
      return `try again with: ${propose(...resumeWords(run.experiment, state))}`;
    case 'stale':
      return `train it as it would come out today with: ${propose('run', 'SPEC')}`;
    case 'done':
    case 'running':
    case 'pruned':
      return '';
  }
};

/** Classes that fit on a screen; of more, those of the test part with the worst scores. */
const mostClasses = 20;

const columns: readonly Column[] = [
  { title: '  class', align: 'left', keep: Infinity },
  { title: 'precision', align: 'right', keep: 4 },
  { title: 'recall', align: 'right', keep: 4 },
  { title: 'F1', align: 'right', keep: Infinity },
  { title: 'examples', align: 'right', keep: 3 },
];

/** Precision, recall and F1 of each class on a part of the dataset, as lines; none if there are no classes. */
export const classLines = (
  { scores = [], labels }: PartEvaluation & Pick<EvaluationFile, 'labels'>,
  { width }: { readonly width: number },
): string[] => {
  const named = scores.map((score, index) => ({ ...score, label: labels?.[index] ?? String(index) }));
  const worst = named
    .filter(({ support }) => support > 0)
    .sort((a, b) => a.f1 - b.f1 || b.support - a.support);
  const shown = named.length <= mostClasses ? named : worst.slice(0, mostClasses);
  if (shown.length === 0) return [];
  const rows = shown.map(({ label, precision, recall, f1, support }) =>
    [
      `  ${/\s|^$/.test(label) ? JSON.stringify(label) : label}`,
      precision.toFixed(4),
      recall.toFixed(4),
      f1.toFixed(4),
      formatMetric(support),
    ].map((text) => ({ text })),
  );
  const rest = named.length - shown.length;
  return [
    ...renderTable(columns, rows, { width }),
    ...(rest > 0 ? [`  and ${rest} more: evaluation.json has them`] : []),
  ];
};
