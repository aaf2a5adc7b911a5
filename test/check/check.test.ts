import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { sealed, unsealed } from '../../src/record/digests.ts';
import type { StatusFile } from '../../src/record/run-files.ts';
import { jsonFileText } from '../../src/system/files.ts';
import { checkRuns } from '../../src/check/check-runs.ts';
import { isStopped, processIdentity } from '../../src/system/process-identity.ts';
import { createRig, until, type Rig } from '../support/rig.ts';
import { testSeed } from '../support/seed.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const sweep = createRig({}, mkdtempSync(join(tmpdir(), 'unroll-check-')));
afterAll(() => rmSync(sweep.directory, { recursive: true }));
let ids: string[];

beforeAll(async () => {
  const train = 'evaluateEvery: 5, checkpointEvery: 5, keepCheckpoints: all';
  sweep.write(
    'spec.yaml',
    smallSpec({ steps: 12, seeds: 2, train, run: 'concurrency: 2', dataset: 'validationSize: 30' }),
  );
  const { code, stderr } = await sweep.unroll('run', 'spec.yaml', '--no-mlflow');
  expect(code, stderr).toBe(0);
  ids = sweep.runIds('trial');
  expect(ids).toHaveLength(2);
});

/** A copy of the sweep that can be damaged. */
const copied = (): Rig => {
  const rig = createRig();
  cpSync(sweep.directory, rig.directory, { recursive: true });
  return rig;
};

/** Puts something in the place of a file that can be read without an end, or not at all. */
const put = (kind: 'pipe' | 'socket' | 'device' | 'folder', path: string): void => {
  rmSync(path, { recursive: true, force: true });
  switch (kind) {
    case 'pipe':
      execFileSync('mkfifo', [path]);
      break;
    case 'socket': {
      const server = createServer().listen(path);
      onTestFinished(() => void server.close());
      break;
    }
    case 'device':
      symlinkSync('/dev/zero', path);
      break;
    case 'folder':
      mkdirSync(path);
      break;
  }
};

const check = async (rig: Rig, ...words: string[]) => {
  const { code, stdout, stderr } = await rig.unroll('check', '--json', ...words);
  // Progress is shown where it takes long.
  expect(stderr.replaceAll(/^checking .*\n/gm, '')).toBe('');
  const { problems } = JSON.parse(stdout) as { problems: { path: string; kind: string; message: string }[] };
  return { code, problems };
};

/** Files of runs and plans whose content is checked, below a runs directory. */
const checkedFiles = (runs: string): string[] =>
  readdirSync(runs, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(runs, name)).isFile())
    .filter((name) => !/\.index$|log\.txt$|plots\/|\.holder/.test(name))
    .sort();

test('an undisturbed sweep, and the runs of 0.1.0, have no problems', async () => {
  expect(await check(sweep)).toEqual({ code: 0, problems: [] });
  const text = await sweep.unroll('check');
  expect(text).toMatchObject({ code: 0, stderr: '', stdout: '2 runs and 1 sweep checked: no problems.\n' });
  const earlier = createRig();
  cpSync('test/fixtures/recorded-by-0.1.0', earlier.directory, { recursive: true });
  expect(await check(earlier)).toEqual({ code: 0, problems: [] });
});

test('every file that is lost, cut off, emptied, overwritten, or has a flipped bit is noticed', async () => {
  const runs = join(sweep.directory, 'runs');
  const files = checkedFiles(runs);
  expect(files.map((name) => name.split('/').at(-1))).toEqual(
    expect.arrayContaining([
      'run.json',
      'status.json',
      'metrics.jsonl',
      'weights.safetensors',
      'step-000005.safetensors',
    ]),
  );
  const random = randomStream(testSeed, 'damage');
  const within = (count: number) => random.integer(count);
  const unnoticed: string[] = [];
  const other = temporaryDirectory();
  let cases = 0;
  for (const file of files) {
    const whole = readFileSync(join(runs, file));
    const byte = within(whole.length);
    const flipped = Buffer.from(whole);
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << within(8));
    const damages: Readonly<Record<string, Buffer | undefined>> = {
      emptied: Buffer.alloc(0),
      'cut off': whole.subarray(0, within(whole.length)),
      garbage: Buffer.from(Array.from({ length: 64 }, () => within(256))),
      'other JSON': Buffer.from('{ "id": "0123456789ab" }\n'),
      'a list': Buffer.from('[]\n'),
      [`byte ${byte} flipped`]: flipped,
      lost: undefined,
    };
    for (const [name, content] of Object.entries(damages)) {
      const copy = join(other, String(cases++));
      cpSync(runs, copy, { recursive: true });
      if (content) writeFileSync(join(copy, file), content);
      else rmSync(join(copy, file));
      const { problems } = await checkRuns({ runsDirectory: copy });
      const found = problems.some(
        ({ path, kind }) =>
          kind === 'damage' && path.startsWith(join(copy, file.split('/').slice(0, 2).join('/'))),
      );
      if (!found) unnoticed.push(`${file} ${name}`);
      rmSync(copy, { recursive: true });
    }
  }
  expect(cases).toBeGreaterThan(100);
  // Checkpoints may be pruned, and a plan deleted; the runs stay whole.
  const mayBeLost = /checkpoints\/\S+ lost$|sweeps\/\S+\.json lost$/;
  expect(unnoticed.filter((one) => !mayBeLost.test(one))).toEqual([]);
});

test('files that a completed run lacks are reported although its status never named them', async () => {
  const rig = copied();
  const run = join(rig.directory, 'runs', 'trial', ids[0] ?? '');
  for (const name of ['metrics.jsonl', 'evaluation.json', 'model', 'checkpoints'])
    rmSync(join(run, name), { recursive: true });
  const path = join(run, 'status.json');
  const status = JSON.parse(readFileSync(path, 'utf8')) as StatusFile;
  const files = Object.entries(status.files ?? {}).filter(([name]) => name === 'run.json');
  writeFileSync(path, jsonFileText(sealed(unsealed({ ...status, files: Object.fromEntries(files) }))));
  const { code, problems } = await check(rig);
  expect(code).toBe(1);
  expect(problems.map(({ message }) => message.split('/').at(-1))).toEqual([
    'metrics.jsonl is missing.',
    'evaluation.json is missing.',
    'weights.safetensors is missing.',
    'model.json is missing.',
  ]);
});

test('repairs are shown first, made with --yes, and lead back to the same numbers', async () => {
  const rig = copied();
  const numbers = () =>
    ids.map((id) => [
      rig.metrics('trial', id),
      readFileSync(rig.runPath('trial', id, 'model', 'weights.safetensors')),
    ]);
  const before = numbers();
  const [first = '', second = ''] = ids;
  writeFileSync(rig.runPath('trial', first, 'run.json'), '');
  const weights = rig.runPath('trial', second, 'model', 'weights.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(weights, bytes);
  const half = rig.runPath('trial', second, 'status.json.12-3.tmp');
  writeFileSync(half, '{');
  utimesSync(half, 0, 0);

  const shown = await rig.unroll('check', '--repair');
  expect(shown.code).toBe(1);
  expect(shown.stdout).toContain('2 runs and 1 sweep checked: 2 problems, 1 leftover.');
  expect(shown.stderr).toContain(
    `runs/trial/${second}/model/weights.safetensors is not as it was when the run ended`,
  );
  expect(existsSync(half)).toBe(true);

  const [, command = ''] = /nothing is changed yet: unroll (.*)\n/.exec(shown.stdout) ?? [];
  const repaired = await rig.unroll(...command.split(' '));
  expect(repaired.code, repaired.stderr).toBe(0);
  expect(existsSync(half)).toBe(false);
  const [, next = ''] = /train again what was damaged:\n {2}unroll (.*)\n/.exec(repaired.stdout) ?? [];
  const resumed = await rig.unroll(...next.split(' '), '--json');
  expect((JSON.parse(resumed.stdout) as { trained: string[] }).trained).toEqual([second]);
  expect(await check(rig)).toEqual({ code: 0, problems: [] });
  expect(numbers()).toEqual(before);
});

test('an experiment or a run can be checked alone, by name or by path', async () => {
  const rig = copied();
  const [first = '', second = ''] = ids;
  writeFileSync(rig.runPath('trial', first, 'evaluation.json'), '{}');
  const damagedPath = join('runs', 'trial', first, 'evaluation.json');
  for (const word of ['trial', first.slice(0, 6), `runs/trial/${first}`, 'runs/trial', 'runs', './runs/'])
    expect((await check(rig, word)).problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(damagedPath),
    ]);
  expect(await check(rig, second)).toEqual({ code: 0, problems: [] });
  expect((await rig.unroll('check', 'trail')).code).toBe(2);
});

/** Does what \`check\` prints, to the letter, until it finds nothing; returns what was done. */
const followed = async (rig: Rig): Promise<string[]> => {
  const done: string[] = [];
  const follow = async (command: string) => {
    done.push(command.replaceAll(/[0-9a-f]{12}/g, 'ID'));
    const { code, stdout, stderr } = await rig.unroll(...command.split(' '));
    expect(code, `unroll ${command}: ${stderr}`).toBeLessThan(2);
    return stdout;
  };
  for (let rounds = 0; rounds < 6; rounds++) {
    const { code, stdout, stderr } = await rig.unroll('check');
    if (code === 0) return done;
    const [, repair] = /nothing is changed yet: unroll (.*)\n/.exec(stdout) ?? [];
    const texts = [stderr, repair === undefined ? '' : await follow(repair)];
    const printed = texts.flatMap((text) => [
      ...text.matchAll(/(?:Repair it with: |\n {2}|delete it: )unroll (.*)/g),
    ]);
    const next = [...new Set(printed.map(([, command = '']) => command))];
    expect(
      [repair, ...next].filter((one) => one !== undefined),
      stderr,
    ).not.toEqual([]);
    // What only shows repairs is what the next round does.
    for (const command of next) await follow(command);
  }
  throw new Error(`there is always something left: ${done.join('\n')}`);
};

test.runIf(process.platform === 'linux')(
  'pipes, sockets, devices and folders in place of files are repaired by the commands that are printed',
  async () => {
    const rig = copied();
    const numbers = () => ids.map((id) => rig.metrics('trial', id));
    const before = numbers();
    const [first = '', second = ''] = ids;
    const places = [
      ['pipe', first, 'run.json'],
      ['socket', first, 'lock'],
      ['device', first, 'checkpoints', 'other.safetensors'],
      ['pipe', second, 'log.txt'],
      ['device', second, 'status.json'],
      ['folder', second, 'evaluation.json'],
      ['pipe', second, 'model', 'weights.safetensors'],
      ['socket', 'sweeps', 'other.json'],
    ] as const;
    for (const [kind, id, ...file] of places) put(kind, rig.runPath('trial', id, ...file));
    const { code, problems } = await check(rig);
    expect(code).toBe(1);
    expect(
      problems
        .map(({ message }) => message.replace('runs/trial/', '').split(/[/ ]/).slice(1).join(' '))
        .sort(),
    ).toEqual([
      ...['checkpoints other.safetensors is a device, not a file.', 'evaluation.json is not a regular file.'],
      ...['lock is a socket, not a file.', 'log.txt is a pipe, not a file.'],
      ...['model weights.safetensors is a pipe, not a file.', 'other.json is a socket, not a file.'],
      ...['run.json is a pipe, not a file.', 'status.json is a device, not a file.'],
    ]);
    const done = await followed(rig);
    expect(done.length, done.join('\n')).toBeGreaterThan(2);
    expect(await check(rig)).toEqual({ code: 0, problems: [] });
    expect(numbers()).toEqual(before);

    // Nothing else has what the run was: the plan is lost as well.
    put('pipe', rig.runPath('trial', first, 'run.json'));
    for (const name of readdirSync(rig.runPath('trial', 'sweeps')).filter((one) => one.endsWith('.json')))
      put('device', rig.runPath('trial', 'sweeps', name));
    expect(await followed(rig)).toContain('rm ID --yes');
    expect((await rig.unroll('run', 'spec.yaml', '--no-mlflow')).code).toBe(0);
    expect(numbers()).toEqual(before);
  },
);

test('a folder in place of a file and an empty run are reported', async () => {
  const rig = copied();
  const [first = ''] = ids;
  rmSync(rig.runPath('trial', first, 'metrics.jsonl'));
  mkdirSync(rig.runPath('trial', first, 'metrics.jsonl'));
  mkdirSync(rig.runPath('trial', 'aaaaaaaaaaaa'));
  const { code, problems } = await check(rig);
  expect(code).toBe(1);
  expect(problems.map(({ message, kind }) => [kind, message])).toEqual([
    ['damage', `runs/trial/${first}/metrics.jsonl is not a regular file.`],
    ['leftover', 'runs/trial/aaaaaaaaaaaa is the folder of a run that never started.'],
  ]);
});

test.runIf(process.platform === 'linux')(
  'a lock is left over once its holder has lost it: ended, stopped or out of sight for too long',
  async () => {
    const rig = copied();
    const [first = '', second = ''] = ids;
    const stopped = spawn('sleep', ['600']);
    const pid = stopped.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const elsewhere = { host: 'another-host', pid: 1, processStartedAt: 1, space: 'another boot' };
    const lost = [
      rig.runPath('trial', first, 'lock'),
      rig.runPath('trial', first, 'writer'),
      rig.runPath('trial', second, 'lock'),
    ];
    const [ofEnded = '', ofStopped = '', ofAnother = ''] = lost;
    const held = rig.runPath('trial', second, 'writer');
    const ended = { ...processIdentity(), processStartedAt: 1 };
    writeFileSync(ofEnded, JSON.stringify(ended));
    writeFileSync(ofStopped, JSON.stringify(processIdentity(pid)));
    writeFileSync(ofAnother, JSON.stringify(elsewhere));
    writeFileSync(held, JSON.stringify(processIdentity()));
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const path of [...lost, held]) utimesSync(path, longAgo, longAgo);
    await until(() => isStopped(processIdentity(pid)));

    const { problems } = await check(rig);
    stopped.kill('SIGKILL');

    expect(problems.map(({ path }) => join(rig.directory, path)).sort()).toEqual(lost.sort());
  },
);
