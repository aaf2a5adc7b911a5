import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../plan/plan.ts';
import { weightsFinder } from '../../report/find-weights.ts';
import {
  rangeLines,
  rangeRate,
  readRangeTest,
  renderRangePlot,
  type RangeTest,
} from '../../report/range-test.ts';
import { loadPlanCode } from '../../runner/plan-code.ts';
import { rangePlan, type Range } from '../../runner/range-plan.ts';
import { runExperiment } from '../../runner/run-experiment.ts';
import { writeWhole } from '../../system/files.ts';
import { encodeNumber } from '../../system/json.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { rewriteLine } from '../../terminal/output.ts';
import { runName, shortNames } from '../../terminal/run-name.ts';
import type { Execute } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { refusedOutput } from '../output-file.ts';
import { planSpec } from '../plan-spec.ts';
import { screen } from '../screen.ts';
import { readSelection, type SelectionOptions } from '../selection.ts';
import type { GivenSpecOptions } from '../spec-options.ts';
import { commandLineRange } from '../usage.ts';
import { ignoringSystemErrors } from '../../system/system-error.ts';

type Options = Pick<SelectionOptions, 'runsDirectory' | 'json' | 'only'> &
  Omit<GivenSpecOptions, 'concurrency'> & {
    readonly from: number;
    readonly to: number;
    readonly steps: number;
    readonly plot?: string | undefined;
    readonly force?: boolean | undefined;
  };

/** `unroll range SPEC`: tries learning rates in one short training, and suggests one. Records nothing. */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const [spec = ''] = words;
  const { from, to, steps, plot, json = false, runsDirectory } = options;
  if (from >= to) {
    const text = String(from);
    terminal.report(
      [
        {
          code: 'bad-argument',
          severity: 'error',
          message: 'The range does not rise.',
          at: commandLineRange(['range', spec, '--from', text], text),
          expected: `--from below --to (${to})`,
          got: text,
          help: 'Write for example --from 0.00001 --to 1.',
        },
      ],
      options,
    );
    return 2;
  }
  const refused = refusedOutput(plot, { words: ['range', spec], option: '--plot', force: options.force });
  if (refused.length > 0) return terminal.refuse(refused, options);
  const planned = await planSpec(spec, options);
  if (!planned.ok) return terminal.refuse(planned.errors, options);
  const plan = planned.value;
  const selection = readSelection(plan, { ...options, force: true }, 'plan');
  if (!selection.ok) return terminal.refuse(selection.errors, options);
  const chosen = plan.runs.filter(({ id }) => selection.value.only?.has(id) ?? true);
  const [run] = chosen;
  if (!run) throw new Error('A plan without runs.');
  const title = runName(run, shortNames(Object.keys(run.varying)));
  if (!json && chosen.length > 1) {
    terminal.print(`${title}: the first of ${chosen.length} runs; --only chooses another.`);
    terminal.print('');
  }
  const code = await loadPlanCode(plan, runsDirectory);
  if (!code.ok) return terminal.refuse(code.errors, options);

  const interruption = listenForInterruption(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'unroll-range-'));
  const losses: { learningRate: number; loss: number }[] = [];
  try {
    const { outcomes } = await runExperiment(rangePlan(plan, run, { from, to, steps }), {
      runsDirectory: folder,
      selection: { force: false, retryFailed: false },
      commandLine: terminal.commandLine,
      bundle: code.value,
      findWeights: weightsFinder(runsDirectory),
      profile: false,
      listener: (event) => {
        if (event.type === 'note' && event.level === 'warning') terminal.complain(event.message);
        if (event.type !== 'run-progressed' || event.event.type !== 'step-logged') return;
        const { step, metrics } = event.event;
        losses.push({
          learningRate: rangeRate({ from, to, steps }, step),
          loss: metrics['train/loss'] ?? NaN,
        });
        if (process.stderr.isTTY) rewriteLine(process.stderr, `step ${step} of ${steps}`);
      },
      stop: interruption.stop,
      kill: interruption.kill,
    });
    if (process.stderr.isTTY) rewriteLine(process.stderr, '');
    if (interruption.stop.aborted) return 130;
    const [outcome] = Object.values(outcomes);
    if (outcome?.reason !== 'completed' && outcome?.reason !== 'diverged') {
      terminal.complain(outcome?.message ?? 'The training did not begin.');
      return 1;
    }
  } finally {
    interruption.release();
    ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
  }

  const test = readRangeTest(losses);
  if (plot !== undefined) writeWhole(plot, renderRangePlot(test, title));
  if (json) terminal.print(JSON.stringify(toJson(test, { run, range: { from, to, steps } }), null, 2));
  else for (const line of report(test, { spec, plot })) terminal.print(line);
  return 0;
};

const toJson = (
  { points, ...rest }: RangeTest,
  { run, range }: { readonly run: Run; readonly range: Range },
) => ({
  run: run.id,
  seed: run.seed,
  ...range,
  ...rest,
  points: points.map(({ learningRate, loss, smoothed }) => ({
    learningRate,
    loss: encodeNumber(loss),
    smoothed: encodeNumber(smoothed),
  })),
});

const short = (value: number): string => String(Number(value.toPrecision(2)));

const report = (
  test: RangeTest,
  { spec, plot }: { readonly spec: string; readonly plot: string | undefined },
): string[] => {
  const { suggestion, steepest, diverges } = test;
  const set = (rate: number) =>
    proposedCommand(['run', spec, '--set', `optimizer.learningRate=${short(rate)}`]);
  return [
    ...rangeLines(test, { width: screen(process.stdout).width }),
    '',
    ...(suggestion === null
      ? ['The loss never falls in this range: try a higher --to, a lower --from, or more --steps.']
      : [
          `suggestion: ${short(suggestion)}, a tenth of the rate with the lowest loss`,
          ...(steepest === null ? [] : [`steepest:   ${short(steepest)}, where the loss falls fastest`]),
        ]),
    ...(diverges === null ? [] : [`diverges:   ${short(diverges)}`]),
    ...(plot === undefined ? [] : ['', `The plot is in ${plot}.`]),
    ...(suggestion === null ? [] : ['', `Train with it: ${set(suggestion)}`]),
  ];
};
