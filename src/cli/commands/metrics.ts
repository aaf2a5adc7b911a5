import { nearest } from '../../diagnostic/nearest.ts';
import {
  metrics as builtIn,
  recordedSettings,
  type Metric,
  type RecordedSetting,
} from '../../metrics/metrics.ts';
import type { OwnMetricRow } from '../../metrics/own-metric.ts';
import { loadPlugins } from '../../registry/own/load-plugins.ts';
import { shownPath } from '../../registry/own/places.ts';
import { createColours } from '../../terminal/colours.ts';
import { wrap } from '../../terminal/wrap.ts';
import type { Execute } from '../command.ts';
import { screen } from '../screen.ts';
import { commandLineRange } from '../usage.ts';

const pc = createColours();

interface Options {
  readonly json?: boolean | undefined;
}

/** `unroll metrics`: the list of what is measured, or one metric with its direction, unit and tasks. */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const plugins = await loadPlugins('.');
  if (!plugins.ok) return terminal.refuse(plugins.errors, options);
  const metrics: Readonly<Record<string, Listed>> = { ...builtIn, ...plugins.value.registry.metric };
  const [wanted] = words;
  const names = Object.keys(metrics);
  if (wanted === undefined) {
    const width = Math.max(...names.map((name) => name.length));
    if (options.json) terminal.print(JSON.stringify(Object.entries(metrics).map(asJson), null, 2));
    else
      for (const [name, { goal, tasks, origin }] of Object.entries(metrics)) {
        const from = origin ? pc.dim(`  (${shownPath(origin.file)})`) : '';
        terminal.print(`${pc.bold(name.padEnd(width))}  ${goal}  ${tasks.join(', ')}${from}`);
      }
    return 0;
  }
  // As a spec writes it, `val/loss`, or the name alone.
  const name = wanted.slice(wanted.indexOf('/') + 1);
  const setting = Object.hasOwn(recordedSettings, name) ? recordedSettings[name] : undefined;
  if (setting) {
    if (options.json) terminal.print(JSON.stringify({ name, ...setting, range: boundsOf(setting) }, null, 2));
    else for (const line of settingLines(name, setting)) terminal.print(line);
    return 0;
  }
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (!metric) {
    const near = nearest(name, names);
    terminal.report(
      [
        {
          code: 'unknown-name',
          severity: 'error',
          message: `There is no metric "${wanted}".`,
          at: commandLineRange(['metrics', wanted], wanted),
          expected: names.join(', '),
          ...(near !== undefined && { nearest: near }),
          help: 'unroll metrics lists them.',
        },
      ],
      options,
    );
    return 2;
  }
  if (options.json) terminal.print(JSON.stringify(asJson([name, metric]), null, 2));
  else for (const line of linesOf(name, metric)) terminal.print(line);
  return 0;
};

/** A metric that comes with Unroll, or one of the user's own. */
type Listed = Metric & Partial<Pick<OwnMetricRow, 'origin'>>;

const asJson = ([name, { origin, ...metric }]: readonly [string, Listed]) => ({
  name,
  ...metric,
  ...(origin && { file: shownPath(origin.file), digest: origin.digest }),
  range: boundsOf(metric),
});

/** JSON has no infinities. */
const boundsOf = ({ range }: Pick<Metric, 'range'>) =>
  range.map((bound) => (Number.isFinite(bound) ? bound : String(bound)));

const settingLines = (name: string, { range, parts, description }: RecordedSetting): readonly string[] => [
  `${pc.bold(name)}: a setting that is recorded beside the metrics`,
  '',
  ...wrap(description, textWidth()),
  '',
  `  range  ${range[0]} to ${range[1]}`,
  `  parts  ${parts.join(', ')}`,
];

const textWidth = (): number => Math.min(screen(process.stdout).width, 100);

const linesOf = (name: string, metric: Metric): readonly string[] => {
  const { goal, unit, range, parts, tasks, moreClassesThan, description } = metric;
  const needs = moreClassesThan === undefined ? '' : ` with more than ${moreClassesThan} classes`;
  return [
    `${pc.bold(name)}: ${goal === 'minimize' ? 'lower' : 'higher'} is better`,
    '',
    ...wrap(description, textWidth()),
    '',
    `  unit   ${unit}`,
    `  range  ${range[0]} to ${range[1]}`,
    `  parts  ${parts.join(', ')}`,
    `  tasks  ${tasks.join(', ')}${needs}`,
  ];
};
