import { evaluateFiles, type Evaluation } from '../../prediction/evaluate.ts';
import { findInput } from '../../prediction/find-input.ts';
import type { InputKind } from '../../prediction/formats.ts';
import { registryFor } from '../../prediction/registry.ts';
import { encodeNumbers } from '../../system/json.ts';
import { counted, formatMetric } from '../../terminal/format.ts';
import { renderTable } from '../../terminal/table.ts';
import type { Execute } from '../command.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';
import { screen } from '../screen.ts';
import { warnOfSlowModel } from '../slow-model.ts';

interface Options {
  readonly runsDirectory: string;
  readonly data: string;
  readonly inputFormat?: InputKind | undefined;
  readonly json?: boolean | undefined;
}

/** `unroll evaluate MODEL --data FILE` */
export const execute: Execute<Options> = async ([reference = ''], options, terminal) => {
  const model = await openNamedModel(reference, { ...options, complain: terminal.complain });
  if (!model.ok) return terminal.refuse(model.errors, options);
  const registry = await registryFor([model.value], process.cwd());
  const input = await findInput(options.data, { stream: process.stdin, parameter: 'data' });
  if (!registry.ok || !input.ok)
    return terminal.refuse(
      [registry, input].flatMap((one) => (one.ok ? [] : one.errors)),
      options,
    );
  warnOfSlowModel(terminal);
  try {
    const { files } = input.value;
    const given = { files, registry: registry.value, kind: options.inputFormat };
    const evaluated = await evaluateFiles(model.value, given);
    if (!evaluated.ok) return terminal.refuse(evaluated.errors, options);
    const { value } = evaluated;
    if (options.json)
      terminal.print(JSON.stringify({ ...value, metrics: encodeNumbers(value.metrics) }, null, 2));
    else terminal.print(render(value, screen(process.stdout)));
    return 0;
  } finally {
    input.value.close();
  }
};

/** More classes than that make no readable matrix. */
const mostClasses = 20;

const render = (
  { examples, weighted, metrics, confusion, labels, baseline }: Evaluation,
  { width }: { readonly width: number },
): string => {
  const longest = Math.max(...Object.keys(metrics).map(({ length }) => length));
  const lines = [
    `${counted(examples, 'example')}${weighted ? ', by their weights' : ''}`,
    ...Object.entries(metrics).map(([name, value]) => `  ${name.padEnd(longest)}  ${formatMetric(value)}`),
  ];
  if (baseline) lines.push(baselineLine(baseline));
  if (confusion && labels && labels.length <= mostClasses) {
    const columns = ['truth', ...labels].map((title, at) => ({
      title,
      align: at === 0 ? ('left' as const) : ('right' as const),
      keep: Infinity,
    }));
    const rows = confusion.map((counts, truth) =>
      [labels[truth] ?? String(truth), ...counts.map(showCount)].map((text) => ({ text })),
    );
    lines.push('', 'confusion matrix, predictions in columns:', ...renderTable(columns, rows, { width }));
  }
  return lines.join('\n');
};

/** Weights make counts that are not whole. */
const showCount = (count: number): string => (Number.isInteger(count) ? String(count) : formatMetric(count));

const baselineLine = (baseline: NonNullable<Evaluation['baseline']>): string => {
  if ('accuracy' in baseline) {
    const label = JSON.stringify(baseline.label);
    return `baseline: always answering ${label} has accuracy ${formatMetric(baseline.accuracy)}`;
  }
  const what = baseline.name === 'mean' ? 'always answering the mean' : `the ${baseline.name} forecast`;
  return `baseline: ${what} has mae ${formatMetric(baseline.mae)}, rmse ${formatMetric(baseline.rmse)}`;
};
