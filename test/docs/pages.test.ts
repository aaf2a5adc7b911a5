import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';
import { completeSpec } from '../support/complete-spec.ts';
import { blocksOf } from './blocks.ts';
import { guides, pages } from './pages.ts';

/** What CI runs by itself, and what only stands for a run. */
const elsewhere = /^npm (run quickstart|test)\b/;

/** Blocks that need more than a machine with Unroll say so in their first line. */
const needsServer = (text: string) => /^# needs an? /.test(text);

/** Images and epochs fewer than in the shipped specs: a page shows what to do, and `experiments/` has its own tests. */
const smaller = (spec: string) =>
  spec
    .replace(/(trainingIters(?:: |=))\d+/g, (_, key: string) => `${key}1280`)
    .replace('{ name: mnist-rows }', '{ name: mnist-rows, trainSize: 2000 }');

const prepare = (folder: string): void => {
  const bin = join(folder, '.bin');
  mkdirSync(bin);
  const program = join(packageRoot, 'bin', 'unroll.js');
  writeFileSync(join(bin, 'unroll'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n');
  for (const name of ['unroll', 'npx']) chmodSync(join(bin, name), 0o755);
  // The files that a page calls a person's own.
  mkdirSync(join(folder, 'data'));
  const rows = Array.from({ length: 12 }, (_, at) => `${at >> 1},0.${at},${at & 2 ? 'up' : 'down'}\n`);
  for (const part of ['train', 'validation', 'test'])
    writeFileSync(join(folder, 'data', `${part}.csv`), `id,x,label\n${rows.join('')}`);
  cpSync(join(packageRoot, 'experiments'), join(folder, 'experiments'), { recursive: true });
  for (const name of readdirSync(join(folder, 'experiments')).filter((one) => one.endsWith('.yaml'))) {
    const path = join(folder, 'experiments', name);
    writeFileSync(path, smaller(readFileSync(path, 'utf8')));
  }
};

/** Runs a block of a shell; `RUN` in it is a recorded run. */
const run = (folder: string, text: string) =>
  new Promise<{ code: number; said: string }>((done) => {
    const firstRun = "$(ls runs/* | grep -E '^[0-9a-f]{12}$' | head -1)";
    const script = smaller(text).replace(/\bRUN\b/g, () => firstRun);
    const environment: NodeJS.ProcessEnv = { ...process.env };
    environment['PATH'] = `${join(folder, '.bin')}:${environment['PATH'] ?? ''}`;
    delete environment['MLFLOW_TRACKING_URI'];
    environment['XDG_CONFIG_HOME'] = join(folder, '.config');
    execFile('bash', ['-e', '-c', script], { cwd: folder, env: environment }, (error, stdout, stderr) =>
      done({ code: error ? 1 : 0, said: stdout + stderr }),
    );
  });

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** That a line which is not run here names a script of the package, or a command and options that the program has. */
const expectToExist = async (folder: string, line: string): Promise<void> => {
  const script = /npm (?:run )?(\w+)/.exec(line)?.[1];
  if (script !== undefined) {
    expect([...Object.keys(scripts), 'install'], line).toContain(script);
    return;
  }
  const command = /unroll (\w+)/.exec(line)?.[1] ?? '';
  const { code, said } = await run(folder, `unroll ${command} --help`);
  expect(code, line).toBe(0);
  for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(said, line).toContain(option);
};

describe.each(pages)('%s', (page) => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-docs-'));
    prepare(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const blocks = blocksOf(readFileSync(page, 'utf8'));
  for (const { language, text, line } of blocks) {
    if (language === 'yaml') {
      it(`has a valid spec in line ${line}`, async () => {
        const file = /^# (\S+\.yaml)$/m.exec(text)?.[1] ?? `part-${line}.yaml`;
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        const path = join(folder, file);
        // What names a shipped spec shows that spec.
        if (file.startsWith('experiments/'))
          expect(withoutComments(text)).toBe(withoutComments(readFileSync(file, 'utf8')));
        else writeFileSync(path, completeSpec(text));
        const { code, said } = await run(folder, `unroll validate ${file}`);
        expect(code, said).toBe(0);
      });
    }
    if (language === 'sh') {
      const lines = text.split('\n').filter((one) => one && !one.startsWith('#'));
      const here = lines.filter((one) => !elsewhere.test(one));
      if (here.length > 0 && !needsServer(text)) {
        it(`has commands that work in line ${line}`, async () => {
          const { code, said } = await run(folder, here.join('\n'));
          expect(code, said).toBe(0);
        });
      }
      const named = needsServer(text) ? lines : lines.filter((one) => elsewhere.test(one));
      if (named.length > 0) {
        it(`names commands and options that exist in line ${line}`, async () => {
          for (const command of named) await expectToExist(folder, command);
        });
      }
    }
  }

  it('links to what is there', () => {
    const text = readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((one) => !/^https?:/.test(one))) {
      const [path = '', anchor] = link.split('#');
      const target = path ? resolve(dirname(page), path) : resolve(page);
      expect(existsSync(target), link).toBe(true);
      if (anchor) {
        const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
          heading
            .toLowerCase()
            .replace(/[^\w\- ]/g, '')
            .replaceAll(' ', '-'),
        );
        expect(headings, link).toContain(anchor);
      }
    }
  });
});

const withoutComments = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/(^| )#.*$/, '').trimEnd())
    .filter(Boolean)
    .join('\n');

it('has each guide in the list', () => {
  const list = readFileSync('docs/README.md', 'utf8');
  for (const guide of guides) expect(list).toContain(guide.replace('docs/', ''));
});
