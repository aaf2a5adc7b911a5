import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { createColours, forTerminal } from '../../src/terminal/colours.ts';
import { safeLine } from '../../src/terminal/safe-text.ts';
import { renderTable } from '../../src/terminal/table.ts';
import { shellWord } from '../../src/system/proposed-command.ts';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A title, a colour, a cleared screen, C1, direction, lines that look like ours, and characters that nobody sees. */
const foreign =
  '\u001b]0;title\u0007\u001b[31mred\u001b[2J\u009b5A\u202egnp\u2066x\u200fy\u2028z\u0000\b\u007f\u0085\ufeff';

const drives =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

test('our own colours pass and nothing foreign does, also where one is inside the other', () => {
  const { red, bold } = createColours(true);
  const line = red(`a ${bold(foreign)} b`);
  const shown = forTerminal(line, true);
  expect(shown.startsWith('\u001b[31ma \u001b[1m')).toBe(true);
  expect(shown.endsWith('\u001b[22m b\u001b[39m')).toBe(true);
  expect(shown.slice(12, -12)).not.toMatch(drives);
  expect(forTerminal(line, false)).not.toMatch(drives);
  expect(forTerminal(line, false)).toContain('\\u001b]0;title\\u0007\\u001b[31mred');
});

test('JSON stays the same data', () => {
  const value = { [foreign]: [foreign, 'tab\tline\nend\r\n'] };
  const printed = forTerminal(JSON.stringify(value, null, 2), false);
  expect(printed).not.toMatch(drives);
  expect(JSON.parse(printed)).toEqual(value);
});

test('a diagnostic stays on its lines, and its underline below the place', () => {
  const text = `version: 1\nke\u202e\u009b\u0085\u2028y: 汉字 value\n`;
  const at = text.indexOf('value');
  const shown = forTerminal(
    renderDiagnostics([
      {
        code: 'unknown-key',
        severity: 'error',
        message: 'The key a\nspec.yaml:1:1 error [conflict] forged is unknown.',
        at: { source: { name: 'dir\nx.yaml', text }, start: at, end: at + 5 },
        got: 'x\ny',
        help: `Remove ${foreign}.`,
      },
    ]),
    false,
  );
  const lines = shown.split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toContain('dir\\nx.yaml:2:');
  expect(lines[0]).toContain('The key a\\nspec.yaml:1:1');
  // Two columns for each of the two wide characters.
  expect(lines[2]?.indexOf('~')).toBe((lines[1] ?? '').indexOf('value') + 2);
  expect(shown).not.toMatch(drives);
});

test('a table keeps its columns whatever its cells hold', () => {
  const lines = renderTable(
    [
      { title: 'a\nb', align: 'left', keep: Infinity },
      { title: 'c', align: 'right', keep: Infinity },
    ],
    [
      [{ text: '\u202ex\n' }, { text: '1' }],
      [{ text: 'plain' }, { text: '22' }],
    ],
    { width: 60 },
  );
  expect(lines).toEqual(['a\\nb        c', '\\u202ex\\n   1', 'plain      22']);
});

test('nothing hides in a name, and emoji and other scripts keep what joins them', () => {
  expect(safeLine('a\u00adb\u200cc\u{e0041}d\ud800e\u3164')).toBe(
    'a\\u00adb\\u200cc\\udb40\\udc41d\\ud800e\\u3164',
  );
  const plain = '\u{1f469}\u200d\u{1f52c} \u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937';
  expect(safeLine(plain)).toBe(plain);
});

test('a line has no line breaks of its own', () => expect(safeLine('a\r\n\tb')).toBe('a\\r\\n\\tb'));

test('a word for a shell can be typed and is the same word', async () => {
  for (const word of [`it's "x"\n\u001b[31m\u009b\u202e\\`, 'plain', "o'clock", '']) {
    const typed = shellWord(word);
    expect(typed).not.toMatch(drives);
    const { stdout } = await runCommand('bash', ['-c', `printf %s ${typed}`], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(stdout).toBe(word);
  }
});

test('no command passes on what a spec, a CSV file or a file name holds', async () => {
  const directory = temporaryDirectory();
  const folder = join(directory, 'a\u001b[31m\u009b');
  mkdirSync(folder);
  const cell = foreign.replaceAll('\u0000', '');
  const yaml = JSON.stringify(cell).slice(1, -1);
  writeFileSync(join(folder, 'data.csv'), `s,x,"${cell}"\n1,${cell},b\n2,c,${cell}\n`);
  const specs = {
    'keys.yaml': `version: 1\n"${yaml}": 1\n"a\\nb": { "${yaml}": 2 }\nname: ${cell}\n`,
    'labels.yaml': `version: 1\nname: x\ndataset: { name: csv-sequences, file: data.csv, sequence: s, targets: "${yaml}" }\nmodel: { name: lstm }\n`,
    'syntax.yaml': `a: [${cell}\n`,
  };
  for (const [name, text] of Object.entries(specs)) writeFileSync(join(folder, name), text);
  const run = (...words: string[]) =>
    runCommand(process.execPath, [join(packageRoot, 'bin', 'unroll.js'), ...words], {
      cwd: directory,
      env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined },
    });
  for (const words of [
    ...Object.keys(specs).map((name) => ['validate', join(folder, name)]),
    ['validate', join(folder, 'keys.yaml'), '--json'],
    ['validate', join(folder, 'keys.yaml'), '--format', 'github'],
    ['validate', `${folder}/none${cell}`, '--set', `${cell}=1`],
    ['ls', '--runs-directory', folder],
    ['show', cell],
    [cell],
  ]) {
    const { output, code } = await run(...words);
    expect(code, output).not.toBe(null);
    expect(output).not.toContain('bug');
    expect(output.replace(/\u001b\[(1|2|22|3[0-9])m/g, ''), words.join(' ')).not.toMatch(drives);
    expect(output).not.toContain('\u001b[31mred');
  }
});
