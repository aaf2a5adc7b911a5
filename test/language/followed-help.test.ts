import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/diagnostic/diagnostic.ts';
import type { LoadOptions } from '../../src/language/load-spec.ts';
import { commandLine } from '../../src/language/located.ts';
import { registry } from '../../src/registry/rows.ts';
import { type Advice, followHelp } from '../support/follow-help.ts';
import { testRegistry } from '../support/registry.ts';
import { type Diagnosed, diagnose, optionsOf, stages } from '../support/wrong-specs.ts';

/** A copy, as following the help changes its specs. */
const corpus = mkdtempSync(join(tmpdir(), 'unroll-followed-'));
beforeAll(() => cpSync('test/corpus', corpus, { recursive: true }));
afterAll(() => rmSync(corpus, { recursive: true }));

const specs = stages.flatMap((stage) =>
  readdirSync(join('test/corpus', stage))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(stage, name)),
);

/** Help that leaves what is written to the user: it has no form to write, and names no single key to remove. */
const prose = [
  /^(Add sequences|Freeze fewer|If the first row|Nothing is recorded|Relative paths start|Replace infinite values)/,
  /^`unroll run SPEC/,
  /^(Add rows|Align|Aliases|Convert the dates|Begin with|Change|Check|Choose one of these|Close the|Compare the values)/,
  /^(Fix these rows|In the same folder|Names are compared|Give (both|ranges|the)|Install|Lower|Mark the value|Move the (axis|bounds)|Name a)/,
  /^(Nothing is trained twice|Only dataset|Put the|Raise|Remove (extends|the (line|repeated|tag)))/,
  /^(Rename|Replace the tab|Save the file|Set (it|layers)|Take \w+ out|Use|`unroll models`)/,
  /^(A spec needs|A logarithmic axis|Bounds are real|YAML 1\.2 has no merge|Write (one of these|the (names?|value)))/,
];

/** What is wrong with these specs besides, and is found only once the help was followed. */
const foundNext: Readonly<Record<string, RegExp>> = {
  'data/text-column-of-split-misspelt.yaml': /is a target/,
  'data/text-weight-misspelt.yaml': /cannot be the text and the weight/,
  'data/stateful-bucketing.yaml': /draws a new one in each pass/,
  'load/extends-a-list.yaml': /The file does not exist/,
  'load/extends-missing.yaml': /hidenSize is not a key/,
  'validate/from-number.yaml': /No run in .* has the id/,
  'validate/optimizer-misspelt-and-swept.yaml': /which this spec never uses/,
  'validate/precision-misspelt.yaml': /has no kernels for bfloat16/,
  'validate/pruning-no-steps.yaml': /No run is long enough/,
};

/** A section that just got its name may lack what its row requires. */
const revealed = ({ code, message }: Diagnostic): boolean =>
  code === 'missing-key' && /^optimizer \w+ has no learningRate/.test(message);

/** The options after one of them is replaced by others, as they are typed. */
const withOption = (options: LoadOptions, old: string, typed: string): LoadOptions => {
  const kept = (option: string, texts: readonly string[] = []) =>
    texts.filter((text) => `${option} ${text}` !== old);
  const [, option, text = ''] = /^--(set|sweep) '?(.*?)'?$/.exec(typed) ?? [];
  return {
    set: [...kept('--set', options.set), ...(option === 'set' ? [text] : [])],
    sweep: [...kept('--sweep', options.sweep), ...(option === 'sweep' ? [text] : [])],
  };
};

const followed = async (
  path: string,
  { at }: Diagnostic,
  text: string,
  again: (options: LoadOptions) => Promise<Diagnosed>,
): Promise<Diagnosed> => {
  const options = optionsOf(path);
  const file = at?.source.name ?? '';
  if (file === commandLine) return again(withOption(options, at?.source.text ?? '', text));
  const before = readFileSync(file);
  writeFileSync(file, text);
  const after = await again(options);
  writeFileSync(file, before);
  return after;
};

it.each(specs)('%s: what the help proposes is accepted', async (name) => {
  const path = join(corpus, name);
  const rows = name.startsWith('data') ? registry : testRegistry;
  const again = (options: LoadOptions) => diagnose(path, rows, options);
  const before = (await again(optionsOf(path))).diagnostics;
  const known = new Set(before.map(({ message }) => message));
  for (const one of before) {
    const { help = '', at } = one;
    const advice: Advice[] = at ? followHelp(help, at) : [];
    if (advice.length === 0)
      expect(
        prose.some((form) => form.test(help)),
        `"${help}" is followed`,
      ).toBe(true);
    for (const { words, text } of advice) {
      expect(text, `"${words}" fits the place of: ${one.message}`).toBeDefined();
      const { stage, diagnostics: after } = await followed(path, one, text ?? '', again);
      const same = ({ code, message }: Diagnostic) => code === one.code && message === one.message;
      const context = `after "${words}" of "${help}" in\n${text ?? ''}`;
      expect(after.filter(same).length, context).toBeLessThan(before.filter(same).length);
      const fresh = after.filter(
        (two) =>
          two.severity === 'error' &&
          !known.has(two.message) &&
          !revealed(two) &&
          !foundNext[name]?.test(two.message) &&
          // Of data one mistake is reported at a time, the spec's first.
          !(name.startsWith('data') && stage === 'unroll'),
      );
      expect(
        fresh.map(({ message }) => message),
        context,
      ).toEqual([]);
    }
  }
});
