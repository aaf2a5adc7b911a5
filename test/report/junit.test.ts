import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkExpectations } from '../../src/report/expectations.ts';
import { junitReport } from '../../src/report/junit.ts';
import type { OutcomeReason, RunOutcome } from '../../src/record/events.ts';
import { makePlan } from '../support/run-directories.ts';

const plan = {
  ...makePlan({ axes: { 'model.hiddenSize': [1, 2, 3] } }),
  expect: [{ metric: 'test/accuracy', gte: 0.9 }],
};

const outcome = (reason: OutcomeReason, message = ''): RunOutcome => ({
  reason,
  message,
  step: 1,
  elapsedMs: 1500,
  metrics: { 'test/accuracy': 0.5 },
});

const reportOf = (reasons: readonly OutcomeReason[], message?: string) => {
  const outcomes = Object.fromEntries(
    reasons.map((reason, index) => [plan.runs[index]?.id ?? '', outcome(reason, message)]),
  );
  return junitReport({ plan, runs: plan.runs, outcomes, checked: checkExpectations(plan, outcomes) });
};

/** The attributes of each element, as Python's XML parser reads them. */
const readXml = (documents: readonly string[]): unknown => {
  const program =
    'import json, sys, xml.etree.ElementTree as E\n' +
    'print(json.dumps([[[e.tag, e.attrib] for e in E.fromstring(d.encode("utf-8", "surrogatepass")).iter()] for d in json.load(sys.stdin)]))';
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(documents),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

const python = spawnSync('python3', ['--version']).status === 0;

test('runs and expectations are cases: passed, failed, in error, skipped', () => {
  const xml = reportOf(['completed', 'diverged', 'not-started'], 'the loss became NaN');
  expect(xml).toContain(
    '<testsuite name="mnist-rows" tests="4" failures="1" errors="1" skipped="1" time="4.500">',
  );
  expect(xml).toContain('<failure message="');
  expect(xml).toContain('<error message="the loss became NaN" type="diverged"/>');
  expect(xml).toContain('<skipped message="the loss became NaN"/>');
});

test.skipIf(!python)('an XML parser reads back every text (skipped without python3)', () => {
  const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), 300);
  const messages = [...texts, '<a> & "b" \' ]]>\n\t\r', '\ud800x', '\u0000\u000b\uffff'];
  const read = readXml(messages.map((message) => reportOf(['diverged'], message))) as [
    string,
    { message?: string },
  ][][];
  const back = read.map((elements) => elements.find(([tag]) => tag === 'error')?.[1].message);
  const writable = (text: string) =>
    Buffer.from(text)
      .toString()
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
  expect(back).toEqual(messages.map(writable));
});
