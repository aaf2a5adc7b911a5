import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsHeader, packSettings, updateSettings } from '../../src/optimizers/update-settings.ts';
import { packageRoot } from '../../src/system/package-root.ts';

const header = readFileSync(join(packageRoot, 'native', 'update-settings.h'), 'utf8');

test('native/update-settings.h is the one that `npm run native:settings` writes', () => {
  expect(header).toBe(settingsHeader());
});

/** The members of each struct in the header, in their order; a rule that shares a struct has its members. */
const membersOf = (rule: string): readonly string[] => {
  const shared = new RegExp(`using ${rule}Settings = (\\w+)Settings;`).exec(header)?.[1];
  const body = new RegExp(`struct ${shared ?? rule}Settings \\{([^}]*)\\}`).exec(header)?.[1] ?? '';
  expect(body).toContain(`count = ${body.match(/^ {2}float /gm)?.length ?? 0};`);
  return [...body.matchAll(/^ {2}float (\w+);/gm)].map(([, name = '']) => name);
};

test.each(Object.keys(updateSettings) as (keyof typeof updateSettings)[])(
  'the settings of %s lie in the order of their struct in C++, whatever order they are given in',
  (rule) => {
    const members = membersOf(rule);
    expect(members.length).toBeGreaterThan(0);
    const value = (name: string) => members.indexOf(name) + 1;
    const names = Object.keys(updateSettings[rule]).reverse();
    const given = Object.fromEntries(names.map((name) => [name, value(name)]));
    expect([...packSettings(rule, given as never)]).toEqual(members.map(value));
  },
);

test('a missing setting is an error of types', () => {
  // @ts-expect-error Without epsilon.
  expect([...packSettings('Adagrad', { learningRate: 1 })]).toEqual([1, Number.NaN]);
  // @ts-expect-error There is no such setting.
  packSettings('Sgd', { learningRate: 1, rate: 2 });
  // @ts-expect-error What may be one of several rules needs the settings of each.
  packSettings<'Sgd' | 'Momentum'>('Momentum', { learningRate: 1 });
});
