import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Diagnostic, success } from '../../diagnostic/diagnostic.ts';
import { withConcurrency } from '../../plan/execution.ts';
import { coreCount } from '../../record/environment.ts';
import { diffPlans, renderPlanDiff } from '../../report/plan-diff.ts';
import { runStandings } from '../../runner/select.ts';
import { codeChanges, sentence } from '../../runner/staleness.ts';
import type { Plan, Run } from '../../plan/plan.ts';
import { dataPathsOf } from '../../plan/run-identity.ts';
import { proposedCommand, shellWord } from '../../system/proposed-command.ts';
import type { Execute } from '../command.ts';
import { findSweep } from '../recorded.ts';
import { planSpec } from '../plan-spec.ts';
import { readConcurrency } from '../spec-options.ts';
import { screen } from '../screen.ts';
import { trainPlan, type TrainOptions } from '../train-plan.ts';

interface Options extends TrainOptions {
  readonly allowVariable?: readonly string[] | undefined;
  readonly updated?: boolean | undefined;
}

/** `unroll resume [SWEEP]` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const found = findSweep(options.runsDirectory, words[0], 'resume');
  if (!found.ok) return terminal.refuse(found.errors, options);
  const { concurrency } = readConcurrency(options);
  const execution = concurrency
    ? withConcurrency(found.value.execution, { cores: coreCount() }, concurrency)
    : success(found.value.execution);
  if (!execution.ok) return terminal.refuse(execution.errors, options);
  const frozen = { ...found.value, execution: execution.value };
  const { path } = frozen.spec;
  const say = options.json || options.quiet ? () => undefined : terminal.print;

  const spec = existsSync(path) ? await planSpec(path, { ...options, yes: true }) : undefined;
  if (options.updated) {
    if (spec?.ok) return await trainPlan(spec.value, options, { terminal, command: 'resume' });
    return terminal.refuse(spec ? spec.errors : [specIsGone(path)], options);
  }
  const left = runStandings(frozen, options.runsDirectory)
    .filter(({ state }) => state !== 'done')
    .map(({ run }) => run);
  const withCurrentSpec = proposedCommand(['resume', frozen.sweepId, '--updated'], options.runsDirectory);
  const obstacle =
    outdatedCode(left, withCurrentSpec) ??
    missingData(left, {
      path,
      withCurrentSpec,
      there: whereItWasStarted(frozen, options.runsDirectory),
    });
  if (obstacle) return terminal.refuse([obstacle], options);
  if (!spec) say(`${path} no longer exists; continuing with the frozen plan.`);
  else if (!spec.ok)
    say(`${path} has errors now (${proposedCommand(['validate', path])}); continuing with the frozen plan.`);
  else {
    const changes = diffPlans(frozen, spec.value);
    if (changes.length > 0) {
      say(`${path} has changed since this sweep was started:`);
      for (const line of renderPlanDiff(changes, screen(process.stdout).width)) say(line);
      say('Continuing with the frozen plan; --updated trains the current spec.');
      say('');
    }
  }
  return await trainPlan(frozen, options, { terminal, command: 'resume' });
};

const specIsGone = (path: string): Diagnostic => ({
  code: 'file-missing',
  severity: 'error',
  message: `The spec of this sweep is not there any more: ${path}.`,
  help: 'Without --updated, the sweep continues with its frozen plan.',
});

/** Runs that still have to be trained but would now be trained by other code, under the ids of the old one. */
const outdatedCode = (runs: readonly Run[], withCurrentSpec: string): Diagnostic | undefined => {
  const changed = runs.map(codeChanges).find((changes) => changes.length > 0);
  return (
    changed && {
      code: 'code-changed',
      severity: 'error',
      message: `This plan was frozen with other code. ${sentence(changed)}`,
      expected: 'the code that the plan was frozen with',
      got: changed.join(', '),
      help: `Install that version of Unroll, or train the current spec with: ${withCurrentSpec}`,
    }
  );
};

/** The command that resumes a sweep in the folder that its paths start from, where that is the one of the runs. */
const whereItWasStarted = ({ spec: { path }, sweepId }: Plan, runsDirectory: string): string | undefined => {
  const folder = dirname(resolve(runsDirectory));
  if (isAbsolute(path) || existsSync(path) || !existsSync(join(folder, path))) return undefined;
  const command = proposedCommand(['resume', sweepId], relative(folder, resolve(runsDirectory)));
  return `cd ${shellWord(relative(process.cwd(), folder))} && ${command}`;
};

/** A data file that runs still to be trained would read, but that is not where the frozen plan has it. */
const missingData = (
  runs: readonly Run[],
  {
    path: specPath,
    withCurrentSpec,
    there,
  }: {
    readonly path: string;
    readonly withCurrentSpec: string;
    /** The command that resumes the sweep where it was started, if that is another folder. */
    readonly there: string | undefined;
  },
): Diagnostic | undefined => {
  const folder = dirname(resolve(specPath));
  const missing = runs.flatMap(dataPathsOf).find((path) => !existsSync(resolve(folder, path)));
  return missing === undefined
    ? undefined
    : {
        code: 'data-missing',
        severity: 'error',
        message: `There is no ${missing}, which the frozen plan reads.`,
        expected: `the data at ${resolve(folder, missing)}`,
        got: 'nothing there',
        help:
          there !== undefined
            ? `The sweep was started in another folder. Resume it there: ${there}`
            : `Put it back. If you moved it, write its new path in ${specPath} and run: ${withCurrentSpec}. The path of a data file changes no run id.`,
      };
};
