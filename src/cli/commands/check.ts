import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Checked, checkRuns, type Scope } from '../../check/check-runs.ts';
import type { Problem } from '../../check/problem.ts';
import { describeRepair, type Repaired, repairAll } from '../../check/repair.ts';
import { type Diagnostic, failure, type Result, success } from '../../diagnostic/diagnostic.ts';
import { listExperiments, listRunIds } from '../../record/read-runs.ts';
import { fileNames } from '../../record/run-files.ts';
import { nothingRecorded } from '../../report/chosen-sweeps.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { counted } from '../../terminal/format.ts';
import type { Execute, Terminal } from '../command.ts';
import { showReading } from '../reading-progress.ts';
import { findRun } from '../recorded.ts';

interface Options {
  readonly runsDirectory: string;
  readonly json?: boolean | undefined;
  readonly repair?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** `unroll check [WHAT]` */
export const execute: Execute<Options> = async ([what], options, terminal) => {
  const scope = scopeOf(options.runsDirectory, what);
  if (!scope.ok) return terminal.refuse(scope.errors, options);
  const progress = showReading(process.stderr);
  const checked = await checkRuns(scope.value, progress.listen);
  progress.end();
  const { experiment, run } = scope.value;
  const named = run ?? experiment;
  const command = proposedCommand(
    ['check', ...(named === undefined ? [] : [named]), '--repair'],
    scope.value.runsDirectory,
  );
  const { left, refused }: Repaired =
    options.repair === true && options.yes === true
      ? repairAll(checked.problems)
      : { left: checked.problems, refused: [] };
  const repaired = checked.problems.filter((one) => !left.includes(one));
  terminal.report(refused);
  if (options.json === true) terminal.print(JSON.stringify(toJson(checked, repaired, command), null, 2));
  else print(checked, { left, repaired, command }, terminal);
  return refused.length > 0 || left.some(({ kind }) => kind === 'damage') ? 1 : 0;
};

/** A folder of runs, an experiment, or a run: by its name in the runs directory, or by a path. */
const scopeOf = (runsDirectory: string, what: string | undefined): Result<Scope> => {
  if (what === undefined)
    return existsSync(runsDirectory) ? success({ runsDirectory }) : failure(nothingRecorded(runsDirectory));
  if (listExperiments(runsDirectory).includes(what)) return success({ runsDirectory, experiment: what });
  const path = what.replace(/\/+$/, '');
  if (existsSync(join(path, fileNames.run)))
    return success({
      runsDirectory: dirname(dirname(path)),
      experiment: basename(dirname(path)),
      run: basename(path),
    });
  if (isExperiment(path)) return success({ runsDirectory: dirname(path), experiment: basename(path) });
  if (listExperiments(path).some((name) => isExperiment(join(path, name))))
    return success({ runsDirectory: path });
  const found = findRun(runsDirectory, what, 'check');
  if (!found.ok) return found;
  return success({ runsDirectory, experiment: basename(dirname(found.value)), run: basename(found.value) });
};

/** Whether a folder has the plans or the runs of an experiment. */
const isExperiment = (directory: string): boolean =>
  existsSync(join(directory, 'sweeps')) ||
  listRunIds(dirname(directory), basename(directory)).some((id) =>
    existsSync(join(directory, id, fileNames.run)),
  );

/** How the user repairs a problem, when the program does not. */
const helpFor = ({ repair, next }: Problem, command: string): string | undefined => {
  if (!repair) return next === undefined ? undefined : nextStep(next);
  const repaired = `\`${command} --yes\` will ${describeRepair(repair)}.`;
  return next === undefined ? repaired : `${repaired} Then: ${next}`;
};

const nextStep = (next: string): string => (next.startsWith('unroll ') ? `Repair it with: ${next}` : next);

const diagnosticOf = (problem: Problem, help: string | undefined): Diagnostic => ({
  code: problem.kind === 'damage' ? 'damaged-record' : 'leftover-file',
  severity: problem.kind === 'damage' ? 'error' : 'notice',
  message: problem.message,
  ...(help !== undefined && { help }),
});

interface Outcome {
  readonly left: readonly Problem[];
  readonly repaired: readonly Problem[];
  /** What makes the repairs, without `--yes`. */
  readonly command: string;
}

const print = (
  { runs, sweeps, training }: Checked,
  { left, repaired, command }: Outcome,
  terminal: Terminal,
): void => {
  terminal.report([
    ...left.map((one) => diagnosticOf(one, helpFor(one, command))),
    ...repaired.map((one) => ({ ...diagnosticOf(one, repairedHelp(one)), severity: 'notice' as const })),
  ]);
  const damaged = left.filter(({ kind }) => kind === 'damage').length;
  const counts = [
    damaged > 0 && counted(damaged, 'problem'),
    left.length > damaged && counted(left.length - damaged, 'leftover'),
    repaired.length > 0 && `${repaired.length} repaired`,
  ].filter((one) => one !== false);
  terminal.print(
    `${counted(runs, 'run')} and ${counted(sweeps, 'sweep')} checked: ${counts.join(', ') || 'no problems'}.`,
  );
  if (training > 0) terminal.print(`${counted(training, 'run')} left out: being trained.`);
  const repairs = new Set(left.flatMap(({ repair }) => (repair ? [describeRepair(repair)] : [])));
  if (repairs.size > 0)
    terminal.print(`${counted(repairs.size, 'repair')} possible, nothing is changed yet: ${command} --yes`);
  const next = [...new Set(repaired.flatMap((one) => one.next ?? []))];
  const checks = next.filter((one) => one.startsWith(`${proposedCommand(['check'])} `));
  const trains = next.filter((one) => !checks.includes(one));
  if (checks.length > 0) terminal.print(['To repair what is missing now:', ...checks].join('\n  '));
  if (trains.length > 0) terminal.print(['To train again what was damaged:', ...trains].join('\n  '));
};

const repairedHelp = ({ repair }: Problem): string | undefined =>
  repair && `Repaired: ${describeRepair(repair)}.`;

const toJson = (
  { runs, sweeps, training, problems }: Checked,
  repaired: readonly Problem[],
  command: string,
) => ({
  runs,
  sweeps,
  training,
  problems: problems.map((one) => ({
    path: one.path,
    kind: one.kind,
    message: one.message,
    repair: one.repair ? describeRepair(one.repair) : null,
    command: one.repair ? `${command} --yes` : null,
    next: one.next ?? null,
    repaired: repaired.includes(one),
  })),
});
