import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { toGithubAnnotations } from '../../src/diagnostic/github.ts';
import { diagnosticsSchema, diagnosticsToJson } from '../../src/diagnostic/json.ts';
import { problem } from '../../src/mlflow/client/problem.ts';

const printed = async (...words: string[]): Promise<string> => {
  const lines: string[] = [];
  const terminal = openTerminal(words, {
    print: (line) => void lines.push(line),
    complain: (line) => {
      throw new Error(`Not for programs: ${line}`);
    },
  });
  await runProgram(words, terminal);
  return lines.join('\n');
};

it('prints what the published schema says with --json, of every wrong spec and of valid ones', async () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(diagnosticsSchema);
  const wrong = readdirSync('test/corpus', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.yaml'),
  );
  const specs = [...wrong.map((name) => join('test/corpus', name)), 'experiments/quickstart.yaml'];
  for (const spec of specs) {
    const report = JSON.parse(await printed('validate', spec, '--json')) as { diagnostics: unknown[] };
    validate(report);
    expect(validate.errors ?? [], spec).toEqual([]);
  }
  expect(validate({ diagnostics: [{ code: 'nonsense', severity: 'error', message: '' }] })).toBe(false);
});

it('prints nothing of what only the MLflow client needs', () => {
  const [diagnostic] = problem('unreachable', 'No answer.', { help: 'Start it.', status: 502 }).errors;
  expect(diagnosticsToJson([diagnostic]).diagnostics[0]).toEqual({
    code: 'tracking',
    severity: 'error',
    message: 'No answer.',
    help: 'Start it.',
  });
});

it('prints annotations that a CI job shows in the file', async () => {
  expect(await printed('validate', 'test/corpus/validate/key-misspelt.yaml', '--format', 'github')).toBe(
    '::error title=unknown-key,file=test/corpus/validate/key-misspelt.yaml,line=6,endLine=6,col=1,endColumn=10' +
      '::optimiser is not a key of a spec.' +
      '%0Aexpected: version, name, extends, dataset, model, optimizer, loss, train, objective, sweep, seeds, run, tracking, expect' +
      '%0Agot: optimiser' +
      '%0Ahelp: Did you mean optimizer? Write `optimizer:` in place of `optimiser:`.',
  );
});

it('escapes what would end an annotation or a property of it', () => {
  const source = { name: 'a,b:c.yaml', text: 'x: 1\ny: 2\n' };
  const at = { source, start: 0, end: 7 };
  expect(toGithubAnnotations([{ code: 'conflict', severity: 'warning', message: '50% of\nit', at }])[0]).toBe(
    '::warning title=conflict,file=a%2Cb%3Ac.yaml,line=1,endLine=2::50%25 of%0Ait',
  );
});
