import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childIsBuilt, notBuilt } from '../../executor/local/pool.ts';
import { encodeNumber } from '../../system/json.ts';
import { counted } from '../../terminal/format.ts';
import { bundledSubject, namingBundle } from '../../verify/bundle-run.ts';
import { differenceLines, verdictLines } from '../../verify/render-verification.ts';
import { recordedSubject, type Subject } from '../../verify/subject.ts';
import { verifyRun, type Verification } from '../../verify/verify-run.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import type { Execute, ExitCode } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { findRun } from '../recorded.ts';
import { ignoringSystemErrors } from '../../system/system-error.ts';

interface Options {
  readonly runsDirectory: string;
  readonly steps?: number | undefined;
  readonly specDirectory?: string | undefined;
  readonly exact?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `unroll verify RUN` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  if (!childIsBuilt()) return terminal.refuse([notBuilt], options);
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bundle-'));
  const interruption = listenForInterruption(() => terminal.complain('Stopping the verification.'));
  try {
    const [written = ''] = words;
    const named = { folder, path: written };
    const subject = namingBundle(await subjectOf(written, folder, options), named);
    if (!subject.ok) return terminal.refuse(subject.errors, options);
    if (!options.json) terminal.report(subject.value.unreadable);
    const found = await verifyRun(subject.value, {
      steps: options.steps,
      commandLine: terminal.commandLine,
      onStep: progress(terminal.complain),
      stop: interruption.stop,
      kill: interruption.kill,
    });
    const verified = namingBundle(found, named);
    if (!verified.ok) return terminal.refuse(verified.errors, options);
    if (!verified.value) return 130;
    if (options.json) terminal.print(JSON.stringify(toJson(verified.value), null, 2));
    else
      for (const line of [...verdictLines(verified.value), ...differenceLines(verified.value)])
        terminal.print(line);
    return exitCodeOf(verified.value, options.exact === true);
  } finally {
    interruption.release();
    ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
  }
};

const subjectOf = async (
  written: string,
  folder: string,
  { runsDirectory, specDirectory }: Options,
): Promise<Result<Subject>> => {
  if (statSync(written, { throwIfNoEntry: false })?.isFile())
    return await bundledSubject(written, { folder, specDirectory });
  const found = findRun(runsDirectory, written, 'verify');
  return found.ok ? recordedSubject(found.value, { runsDirectory, specDirectory }) : found;
};

/** 0 if the numbers are the same, or rounded differently; 1 if they are not, or not of the same data, code, files and export. */
const exitCodeOf = ({ verdict, content, files, onnx }: Verification, exact: boolean): ExitCode => {
  const isSame = verdict === 'identical' || (verdict === 'within-1e-6' && !exact);
  return isSame && content.length === 0 && files.length === 0 && onnx.result !== 'differs' ? 0 : 1;
};

/** Lines of progress further apart than this show nothing new. */
const everyMs = 5000;

const progress = (print: (line: string) => void) => {
  let last = Date.now();
  return (step: number, steps: number) => {
    if (Date.now() - last < everyMs) return;
    last = Date.now();
    print(`${step} of ${counted(steps, 'step')}`);
  };
};

/** JSON has no infinity: the distance of a missing value is a string. */
const toJson = ({ run, deviations, ...rest }: Verification): object => ({
  run: run.id,
  experiment: run.experiment,
  ...rest,
  deviations: deviations.map((one) => ({ ...one, distance: encodeNumber(one.distance) })),
});
