import { escapeXmlAttribute } from './xml.ts';
import { unreachable } from '../diagnostic/diagnostic.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { runName, shortNames } from '../terminal/run-name.ts';
import type { RunOutcome } from '../record/events.ts';
import { stateOfReason } from '../record/run-state.ts';
import type { CheckedExpectation } from './expectations.ts';

/** What a JUnit file is made of. */
interface JunitInput {
  readonly plan: Plan;
  /** The runs that the command answers for. */
  readonly runs: readonly Run[];
  readonly outcomes: Readonly<Record<string, RunOutcome>>;
  readonly checked: readonly CheckedExpectation[];
}

interface Case {
  readonly name: string;
  readonly seconds: number;
  /** Empty where it passed. */
  readonly problem: {
    readonly kind: 'failure' | 'error' | 'skipped';
    readonly type: string;
    readonly message: string;
  } | null;
}

/**
 * The runs of a sweep as test cases in the XML that CI systems read (the Apache Ant JUnit schema): one that a run ends
 * well, and one for each expectation of a finished run.
 */
export const junitReport = ({ plan, runs, outcomes, checked }: JunitInput): string => {
  const names = shortNames(plan.axes);
  const cases = runs.flatMap((run): Case[] => {
    const name = `${runName(run, names)} (${run.id})`;
    const outcome = outcomes[run.id];
    const trained: Case = {
      name: `${name} is trained`,
      seconds: (outcome?.elapsedMs ?? 0) / 1000,
      problem: problemOf(outcome),
    };
    const expectations = checked
      .filter(({ runId }) => runId === run.id)
      .map(({ wanted, message, met }): Case => ({
        name: `${name}: ${wanted}`,
        seconds: 0,
        problem: met ? null : { kind: 'failure', type: 'expectation', message },
      }));
    return [trained, ...expectations];
  });
  const count = (kind: string) => cases.filter(({ problem }) => problem?.kind === kind).length;
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0).toFixed(3);
  const totals =
    `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" ` +
    `skipped="${count('skipped')}" time="${seconds}"`;
  const suite = escapeXmlAttribute(plan.experiment);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="unroll" ${totals}>`,
    `  <testsuite name="${suite}" ${totals}>`,
    ...cases.map((one) => `    ${caseXml(one, suite)}`),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
};

const caseXml = ({ name, seconds, problem }: Case, suite: string): string => {
  const head = `<testcase classname="${suite}" name="${escapeXmlAttribute(name)}" time="${seconds.toFixed(3)}"`;
  if (!problem) return `${head}/>`;
  const { kind, type, message } = problem;
  const what = kind === 'skipped' ? '' : ` type="${escapeXmlAttribute(type)}"`;
  return `${head}><${kind} message="${escapeXmlAttribute(message)}"${what}/></testcase>`;
};

const problemOf = (outcome: RunOutcome | undefined): Case['problem'] => {
  if (!outcome) return { kind: 'skipped', type: 'new', message: 'not trained' };
  const { reason: type, message } = outcome;
  const state = stateOfReason(type);
  switch (state) {
    case 'done':
    case 'stale':
      return null;
    case 'failed':
      return { kind: 'error', type, message };
    case 'pruned':
    case 'interrupted':
    case 'running':
    case 'new':
      return { kind: 'skipped', type, message };
    default:
      return unreachable(state);
  }
};
