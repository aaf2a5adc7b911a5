import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { frozenPlanPath } from '../../src/record/frozen-plan.ts';
import { RecordUnreadable } from '../../src/record/record-unreadable.ts';
import { listSweeps } from '../../src/record/read-sweeps.ts';
import {
  journalDamage,
  openSearchJournal,
  resultLine,
  searchJournalPath,
  type SearchLine,
} from '../../src/record/search-journal.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Six whole lines: three decisions, each followed by its result. The last point is one that the sampler proposed. */
const wholeLines = (plan: Plan): string[] => {
  const proposed = makePlan({ experiment: plan.experiment, seeds: [7] }).runs;
  const lines: SearchLine[] = [
    { decision: 0, kind: 'train', point: 0, level: 0 },
    resultLine(0, 0.5),
    { decision: 1, kind: 'prune', point: 0, level: 1 },
    resultLine(1, -Infinity),
    { decision: 2, kind: 'train', point: 1, level: 0, runs: proposed, coordinates: [0.25, null] },
    resultLine(2, NaN),
  ];
  return lines.map((line) => JSON.stringify(line));
};

/** A sweep with a search in a folder whose name a shell would split. */
const recordSearch = () => {
  const runs = `${temporaryDirectory()}/my runs`;
  const base = makePlan();
  const search = {
    points: 2,
    lookahead: 1,
    sampler: { method: 'tpe', coordinates: [[0.5, 0.5]], spec: {} },
    pruning: null,
  } as unknown as NonNullable<Plan['search']>;
  const plan: Plan = { ...base, search };
  writeSweep(runs, plan);
  const planPath = frozenPlanPath(runs, plan);
  const path = searchJournalPath(planPath);
  const write = (lines: readonly string[]) => writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return { runs, plan, planPath, path, lines: wholeLines(plan), write };
};

const damages: readonly (readonly [what: string, damage: (line: string) => readonly string[]])[] = [
  ['bytes that are no JSON', () => ['\0\0\0\0']],
  ['an empty line', () => ['']],
  ['half of itself', (line) => [line.slice(0, line.length / 2)]],
  ['null', () => ['null']],
  ['a number', () => ['3']],
  ['a list', () => ['[]']],
  ['an object without its fields', () => ['{"decision":1}']],
  ['a decision of an unknown kind', (line) => [line.replace('prune', 'guess')]],
  ['a point that is a string', (line) => [line.replace('"point":0', '"point":"0"')]],
  ['a decision with a run that is none', (line) => [line.replace('}', ',"runs":[null]}')]],
  ['nothing, because it was removed', () => []],
];

test.each(damages)(
  'a journal with %s in the middle is reported, and the command repairs it',
  (_what, damage) => {
    const { runs, plan, planPath, path, lines, write } = recordSearch();
    write([...lines.slice(0, 2), ...damage(lines[2] ?? ''), ...lines.slice(3)]);
    const damaged = readFileSync(path, 'utf8');
    expect(() => openSearchJournal(path, { afresh: false })).toThrow(RecordUnreadable);
    expect(readFileSync(path, 'utf8')).toBe(damaged);

    const { sweeps, problems } = listSweeps(runs);
    expect(sweeps.map((one) => one.plan.sweepId)).toEqual([plan.sweepId]);
    expect(problems).toMatchObject([{ code: 'damaged-record', severity: 'warning' }]);
    expect(problems[0]?.message).toContain(`${path} has a damaged line 3`);
    const [, command = ''] = /again from there: (.*?)\. Runs/.exec(problems[0]?.help ?? '') ?? [];
    execFileSync('sh', ['-c', command]);
    expect(journalDamage(plan, planPath)).toBeUndefined();
    const journal = openSearchJournal(path, { afresh: false });
    journal.close();
    expect(journal.lines.map((line) => JSON.stringify(line))).toEqual(lines.slice(0, 2));
  },
);

test('a result that is no number, and one of no decision, are damage', () => {
  const { plan, planPath, lines, write } = recordSearch();
  for (const wrong of ['{"decision":0,"result":null}', '{"decision":9,"result":1}']) {
    write([lines[0] ?? '', wrong, ...lines.slice(2)]);
    expect(journalDamage(plan, planPath)?.message).toContain('line 2');
  }
});

test('a torn last line is cut off, and the next one follows the whole ones', () => {
  const { runs, path, lines, write } = recordSearch();
  write(lines);
  appendFileSync(path, '{"decision":3,"kind":"tr');
  expect(listSweeps(runs)).toMatchObject({ problems: [], sweeps: [{ plan: { runs: { length: 2 } } }] });
  const journal = openSearchJournal(path, { afresh: false });
  const next: SearchLine = { decision: 3, kind: 'train', point: 0, level: 1 };
  journal.append(next);
  journal.close();
  expect(readFileSync(path, 'utf8').split('\n')).toEqual([...lines, JSON.stringify(next), '']);
});

test('a search that begins afresh does not need its damaged journal', () => {
  const { path, write } = recordSearch();
  write(['null']);
  const journal = openSearchJournal(path, { afresh: true });
  journal.close();
  expect(journal.lines).toEqual([]);
  expect(readFileSync(path, 'utf8')).toBe('');
});
