import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { resolveTarget } from '../../src/mlflow/sync/target.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { realServer, whyNoMlflow } from '../support/mlflow/real-server.ts';
import { createRig, until } from '../support/rig.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { noTerminal, openRealTerminal } from '../support/tmux.ts';

interface Sent {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server on the loopback address that keeps all it gets, and answers like an MLflow server with one run. */
const recordingServer = async (
  redirect?: string,
): Promise<{ readonly uri: string; readonly sent: readonly Sent[] }> => {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = request.url ?? '';
      sent.push({ url, headers: request.headers, body: Buffer.concat(chunks).toString('latin1') });
      if (redirect !== undefined) {
        response.writeHead(307, { location: redirect + url }).end();
        return;
      }
      const info = {
        run_id: 'r1',
        experiment_id: '1',
        artifact_uri: 'mlflow-artifacts:/1/r1/artifacts',
        lifecycle_stage: 'active',
      };
      const answer = url.includes('get-by-name')
        ? { experiment: { experiment_id: '1', name: 'x', lifecycle_stage: 'active' } }
        : url.includes('server-info')
          ? { store_type: 'SqlStore' }
          : /runs\/(create|get|update)/.test(url)
            ? { run: { info, data: {} }, run_info: info }
            : {};
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
};

const spec = (tracking: string, model = '{ name: lstm, hiddenSize: 4 }') => `version: 1
name: planted
dataset: { name: toy-sequences, trainSize: 50, testSize: 20 }
model: ${model}
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: 3 }
tracking: { mlflow: ${tracking} }
`;

const homeWith = (credentials?: string): string => {
  const home = temporaryDirectory('home');
  if (credentials !== undefined) {
    mkdirSync(join(home, '.mlflow'));
    writeFileSync(join(home, '.mlflow', 'credentials'), credentials);
  }
  return home;
};

const isolated = (home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  HOME: home,
  XDG_CONFIG_HOME: join(home, 'config'),
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
  ...more,
});

/** Files of a folder and below, with their bytes. */
const written = (directory: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );

/** Each place with each form of a secret that is in it. */
const leaks = (places: Iterable<readonly [string, string]>, secrets: readonly string[]): readonly string[] =>
  [...places].flatMap(([place, text]) =>
    secrets.flatMap((secret) =>
      [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
        .filter((form) => text.includes(form))
        .map((form) => `${form} in ${place}`),
    ),
  );

describe('a planted secret', () => {
  const secrets = {
    uri: 'planted0uri',
    variable: 'planted1variable',
    token: 'planted2token',
    tag: 'planted3 tag',
    specUri: 'planted4specuri',
    filed: 'planted5filed',
    printed: 'planted6printed',
  };

  it('is in no file and no request but the Authorization header', { timeout: 120_000 }, async () => {
    const server = await recordingServer();
    const home = homeWith(
      `[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = ${secrets.filed}\n`,
    );
    const rig = createRig(
      isolated(home, {
        MLFLOW_TRACKING_URI: server.uri,
        MLFLOW_TRACKING_TOKEN: secrets.token,
        DEPLOY_SECRET: secrets.variable,
        DATABASE_URL: `postgres://ann:${secrets.uri}@db.example/x`,
        MLFLOW_RUN_CONTEXT: JSON.stringify({ from: `token=${secrets.token}`, db: secrets.uri }),
        OWN_PASSWORD: secrets.printed,
      }),
    );
    rig.write(
      'unroll.config.js',
      `const password = process.env.OWN_PASSWORD;
const fail = () => { throw new Error('no login with ' + password); };
export default { models: [{ name: 'leaky', parameters: {}, build: (_, { weight, outputs }) => { console.log('building with', password); weight('w', [1, outputs], 'glorot-uniform'); return { forward: fail }; } }] };\n`,
    );
    const said = await rig.unroll(
      'run',
      rig.write(
        'spec.yaml',
        spec(
          `{ uri: '${server.uri.replace('://', `://ann:${secrets.specUri}@`)}', tags: { a: '\${DEPLOY_SECRET}', b: '\${MLFLOW_TRACKING_URI}' } }`,
          '{ name: leaky }',
        ),
      ),
      ...['--allow-variable', 'DEPLOY_SECRET'],
      ...['--set', `tracking.mlflow.tags.apiKey=${secrets.tag}`],
    );
    expect(said.stdout + said.stderr).toContain('no login with ***');
    const bodies = server.sent.map(({ url, body }) => `${url} ${body}`).join('\n');
    expect(bodies).toContain('runs/create');
    expect(bodies).toContain('spec.yaml');
    expect(server.sent.every(({ headers }) => headers.authorization?.startsWith('Basic '))).toBe(true);

    const files = written(rig.directory);
    const places = new Map<string, string>([
      ...[...files].filter(([path]) => !path.endsWith(`${rig.directory}/spec.yaml`)),
      ['output', said.stdout + said.stderr],
      ['requests', bodies],
      ['headers', JSON.stringify(server.sent.map(({ headers }) => ({ ...headers, authorization: '' })))],
    ]);
    expect(leaks(places, Object.values(secrets))).toEqual([]);
    expect([...files.keys()].some((path) => path.endsWith('environment.json'))).toBe(true);
  });

  it('is refused where a run would record it', async () => {
    const rig = createRig(isolated(homeWith(), { DEPLOY_SECRET: secrets.variable }));
    const said = await rig.unroll(
      'validate',
      rig.write('spec.yaml', spec('{}')),
      ...['--set', `model.hiddenSize=${secrets.variable}`],
    );
    expect(said).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('This value is a secret') as string,
    });
    expect(said.stdout + said.stderr).not.toContain(secrets.variable);
  });
});

/** Command lines and environments of the processes that work in a folder. */
const processesIn = (directory: string) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/cwd`) !== directory) return [];
        const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ');
        return [{ commandLine: read('cmdline'), environment: read('environ') }];
      } catch {
        return []; // It has ended.
      }
    });

const noMlflow = await whyNoMlflow();

describe.skipIf(noMlflow !== undefined)('a planted secret and a real server', () => {
  const server = realServer();
  beforeAll(() => server.start());

  it(
    'is in no file, no process list, no output and nothing that the server keeps',
    { timeout: 240_000 },
    async () => {
      const secrets = [
        'planted10user',
        'planted11token',
        'planted12remote',
        'planted13cloud',
        'planted14 tag',
        'planted15key',
      ];
      const [user = '', token = '', remote = '', cloud = '', tag = '', key = ''] = secrets;
      const rig = createRig(
        isolated(homeWith(), {
          MLFLOW_TRACKING_URI: server.uri().replace('://', `://ann:${user}@`),
          AWS_SECRET_ACCESS_KEY: cloud,
          MLFLOW_TRACKING_TOKEN: token,
        }),
      );
      const git = (...words: readonly string[]) => execFileSync('git', ['-C', rig.directory, ...words]);
      rig.write(
        'spec.yaml',
        spec(
          `{ tags: { from: 'https://host.example/data?access_token=${key}', server: '\${MLFLOW_TRACKING_URI}' }, everySeconds: 1 }`,
        ).replace('steps: 3', 'steps: 300'),
      );
      git('init', '-q');
      git('remote', 'add', 'origin', `https://ann:${remote}@git.example/x.git`);
      git('add', '.');
      git('-c', 'user.name=ann', '-c', 'user.email=ann@host.example', 'commit', '-qm', `Use token=${token}`);
      const running = rig.start('run', 'spec.yaml', `--set=tracking.mlflow.tags.apiKey=${tag}, and more`);
      const trainer = await until(() => {
        const seen = processesIn(rig.directory);
        return rig.runIds('planted').length > 0
          ? seen.find(({ commandLine }) => commandLine.includes('child.js')) && seen
          : undefined;
      });
      const said = await running.finished;
      expect(said.stderr + said.stdout).toContain('1 done');
      const outputs = [];
      for (const words of [
        ['show', ...rig.runIds('planted')],
        ['ls', '--json'],
        ['compare', 'planted', '--json'],
        ['report', 'planted'],
        ['sync', '--verify'],
      ]) {
        const { code, stdout, stderr } = await rig.unroll(...words);
        expect([words[0], code]).toEqual([words[0], 0]);
        outputs.push([`unroll ${words[0] ?? ''}`, stdout + stderr] as const);
      }
      const own = [...written(rig.directory)].filter(([path]) => !/\/(spec\.yaml$|\.git\/)/.test(path));
      const stored = [...written(server.folder)];
      expect(stored.filter(([, text]) => text.includes('host.example/data')).length).toBeGreaterThan(0);
      expect(own.some(([, text]) => text.includes('git.example/x.git'))).toBe(true);
      const children = trainer.filter(({ commandLine }) => commandLine.includes('child.js'));
      expect(
        leaks(
          [
            ...own,
            ...stored,
            ...outputs,
            ['output', said.stdout + said.stderr],
            ...trainer.map(({ commandLine }) => ['process list', commandLine] as const),
            ...children.map(({ environment }) => ['environment of a trainer', environment] as const),
          ],
          secrets,
        ),
      ).toEqual([]);
    },
  );
});

describe.skipIf(noTerminal)('the question on a terminal', () => {
  it.each([
    ['n', false],
    ['y', true],
  ])('answered with %s', { timeout: 120_000 }, async (key, allowed) => {
    const home = homeWith();
    const rig = createRig(isolated(home));
    rig.write('spec.yaml', spec("{ uri: 'https://collector.invalid/ml' }"));
    const config = join(home, 'config');
    const program = `env -u MLFLOW_TRACKING_URI MLFLOW_HTTP_REQUEST_MAX_RETRIES=0 XDG_CONFIG_HOME=${config} ${process.execPath} ${join(packageRoot, 'bin/unroll.js')}`;
    const terminal = openRealTerminal(
      `cd ${rig.directory}; ${program} run spec.yaml; echo status $?; ${program} trust; exec cat`,
      { name: `trust-${key}`, width: 140 },
    );
    const asked = await terminal.until((text) => text.includes('(y/N)'));
    expect(asked).toContain('https://collector.invalid');
    terminal.press(key);
    terminal.key('Enter');
    const end = await terminal.until((text) => text.includes('may read:'));
    expect(end).toContain(allowed ? 'status 0' : 'status 2');
    expect(end.includes('[untrusted-server]')).toBe(!allowed);
    expect(end).toContain(`may send runs to: ${allowed ? 'https://collector.invalid' : 'none'}`);
    expect(rig.runIds('planted')).toHaveLength(allowed ? 1 : 0);
  });
});

describe('a spec by somebody else', () => {
  it(
    'reads no variable, and sends to no server, that the user has not allowed',
    { timeout: 120_000 },
    async () => {
      const home = homeWith();
      const rig = createRig(isolated(home, { CLOUD_TOKEN: 'planted7cloud' }));
      const reading = rig.write('reading.yaml', spec("{ tags: { a: '${CLOUD_TOKEN}' } }"));
      expect(await rig.unroll('validate', reading)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--allow-variable CLOUD_TOKEN') as string,
      });
      rig.write('base.yaml', spec("{ uri: 'https://collector.invalid/ml' }"));
      const sending = rig.write('sending.yaml', 'extends: ./base.yaml\n');
      const refused = await rig.unroll('run', sending);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('error [untrusted-server]');
      expect(refused.stderr).toContain('--allow-server https://collector.invalid');
      expect(rig.runIds('planted')).toEqual([]);
      expect((await rig.unroll('run', sending, '--no-mlflow')).code).toBe(0);
      // The frozen plan names the server, too.
      expect((await rig.unroll('resume', '--force')).code).toBe(2);
      expect((await rig.unroll('sync')).stderr).toContain('unroll trust https://collector.invalid');
      expect((await rig.unroll('trust', 'https://collector.invalid')).code).toBe(0);
      // Allowed now: what fails is the name of the host.
      expect((await rig.unroll('sync')).stderr).toContain('cannot be reached');
    },
  );

  it(
    'gets no credentials at another origin of this machine, nor by a redirect',
    { timeout: 120_000 },
    async () => {
      const own = await recordingServer();
      const other = await recordingServer();
      const redirecting = await recordingServer(other.uri);
      const home = homeWith(
        '[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = planted8filed\n',
      );
      const rig = createRig(isolated(home, { MLFLOW_TRACKING_URI: own.uri }));
      const said = await rig.unroll('run', rig.write('spec.yaml', spec(`{ uri: '${other.uri}' }`)));
      expect(said.stdout).toContain(`the spec sends its runs to ${other.uri}, not to ${own.uri}`);
      expect(own.sent).toEqual([]);
      expect(other.sent.length).toBeGreaterThan(0);
      expect(other.sent.filter(({ headers }) => headers.authorization)).toEqual([]);
      const before = other.sent.length;
      await rig.unroll('sync', '--to', redirecting.uri);
      expect([redirecting.sent.length > 0, other.sent.length]).toEqual([true, before]);
      await rig.unroll('trust', '--credentials', other.uri);
      await rig.unroll('sync', '--to', other.uri);
      expect(other.sent.at(-1)?.headers.authorization).toMatch(/^Basic /);
    },
  );

  it('is trusted and mistrusted by valid addresses only', { timeout: 60_000 }, async () => {
    const rig = createRig(isolated(homeWith()));
    const spoken = async (...words: readonly string[]) => {
      const { code, stderr } = await rig.unroll(...words);
      return `${code} ${stderr}`;
    };
    await rig.unroll('trust', 'https://mine.example');
    expect(await spoken('trust', '--remove')).toContain('2 error [bad-argument] --remove needs the address');
    expect(await spoken('trust', '--remove', 'https://mime.example')).toMatch(
      /^2 .*nothing was removed[^]*nearest: +https:\/\/mine\.example/,
    );
    expect(await spoken('sync', '--allow-server', 'mine.example')).toMatch(/^2 .*\[bad-argument\]/);
    expect(await spoken('trust', '--remove', 'https://mine.example')).toBe('0 ');
  });

  it.each([
    ['http://127.0.0.9:1', true],
    ['http://[::1]:5000', true],
    ['http://localhost', true],
    ['http://0x7f.1:80', true],
    ['http://localhost.evil.example', false],
    ['http://127.0.0.1.evil.example', false],
    ['http://127.0.0.1@evil.example', false],
    ['http://10.0.0.1', false],
    ['https://mine.example:444', false],
    ['http://mine.example', false],
    ['https://mine.example/elsewhere', true],
  ])('may send to %s: %s', (uri, allowed) => {
    const home = temporaryDirectory('home');
    const env = {
      MLFLOW_TRACKING_URI: 'https://mine.example',
      MLFLOW_TRACKING_TOKEN: 'planted9',
      HOME: home,
    };
    const target = resolveTarget({ settings: { uri }, experiment: 'e', env });
    expect(target?.ok).toBe(allowed);
    if (target?.ok)
      expect(target.value.connection.credentials.kind).toBe(uri.includes('mine.example') ? 'bearer' : 'none');
  });

  it('gets no credentials when MLFLOW_TRACKING_URI is not set; the command line does', () => {
    const env = { MLFLOW_TRACKING_TOKEN: 'planted10', HOME: temporaryDirectory('home') };
    const credentials = (uri: string, to?: string) => {
      const target = resolveTarget({ settings: { uri }, experiment: 'e', env, ...(to && { to }) });
      return target?.ok ? target.value.connection.credentials.kind : 'refused';
    };
    expect(credentials('https://evil.example')).toBe('refused');
    expect(credentials('http://127.0.0.1:5000')).toBe('none');
    expect(credentials('https://evil.example', 'https://mine.example')).toBe('bearer');
  });
});
