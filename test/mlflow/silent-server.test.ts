import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createRig, until } from '../support/rig.ts';

/** Calls a function again and again, as long as the connection is open. */
const everyTenth = (socket: Socket, action: () => void) => {
  const timer = setInterval(action, 100);
  socket.on('error', () => undefined).on('close', () => clearInterval(timer));
};

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

const servers: Readonly<Record<string, (socket: Socket) => void>> = {
  'accepts and never answers': (socket) => void socket.on('error', () => undefined),
  'sends half of its headers': (socket) => {
    everyTenth(socket, () => undefined);
    socket.write(head);
  },
  'sends a body byte by byte': (socket) => {
    socket.write(`${head}Content-Length: 100000\r\n\r\n`);
    everyTenth(socket, () => socket.write('a'));
  },
  'sends header after header': (socket) => {
    let count = 0;
    socket.write(head);
    everyTenth(socket, () => socket.write(`X-${count++}: 1\r\n`));
  },
};

const listening = async (answer: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** A folder with recorded runs, and the environment of a user who has set nothing but the address. */
const recorded = (uri: string, environment: NodeJS.ProcessEnv = {}) => {
  const rig = createRig({ MLFLOW_TRACKING_URI: uri, ...environment });
  cpSync('test/fixtures/recorded-by-0.1.0/runs', join(rig.directory, 'runs'), { recursive: true });
  const [run = ''] = rig.runIds('csv');
  return {
    ...rig,
    sync: ['sync', 'csv', '--to', uri],
    register: ['register', run, '--name', 'a', '--to', uri],
    predict: ['predict', 'models:/digits/1', '--input', 'x.csv'],
  };
};

test.each(Object.entries(servers))(
  'a server that %s does not hold sync, register or predict',
  async (_, answer) => {
    const uri = await listening(answer);
    const rig = recorded(uri, { MLFLOW_HTTP_REQUEST_TIMEOUT: '1', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1' });
    const { code, stdout, stderr } = await rig.unroll(...rig.sync);
    expect(code, stdout + stderr).toBe(2);
    const predicted = rig.unroll(...rig.predict);
    const registered = rig.unroll(...rig.register);
    for (const other of [await predicted, await registered]) {
      expect(other.code, other.stdout + other.stderr).toBe(2);
      expect(other.stderr).toContain(uri);
    }
    expect(stderr + stdout).toContain(uri);
    expect(stderr + stdout).toMatch(/did not (answer|finish)|no answer|within 1 s|timed? ?out/i);
  },
  240_000,
);

test('a refused connection is tried once more, not for minutes', async () => {
  const uri = 'http://127.0.0.1:1';
  const rig = recorded(uri);
  const ended = [rig.sync, rig.register, rig.predict].map((words) => rig.unroll(...words));
  for (const { code, stdout, stderr } of await Promise.all(ended)) {
    expect(code, stdout + stderr).toBe(2);
    expect(stderr).toContain(`The MLflow server at ${uri} cannot be reached`);
    expect(stderr.match(/Trying again in/g)).toHaveLength(1);
  }
}, 240_000);

test('Ctrl-C ends the waiting for a silent server at once', async () => {
  let reached = 0;
  const uri = await listening((socket) => {
    socket.on('error', () => undefined);
    reached++;
  });
  const rig = recorded(uri);
  mkdirSync(join(rig.directory, 'mlflow'));
  rig.write('mlflow/server.json', JSON.stringify({ uri, pid: 1 }));
  const interrupted = async (words: readonly string[], announced = '') => {
    const before = reached;
    const started = rig.start(...words);
    let printed = '';
    started.process.stderr?.on('data', (text: string) => (printed += text));
    await until(() => reached > before && printed.includes(announced));
    started.process.kill('SIGINT');
    return started.finished;
  };
  const wait = `The MLflow server at ${uri} has not answered yet. Waiting for at most 240 s; Ctrl-C ends it.`;
  const stopping = 'Stopping; what is sent stays sent.';
  expect(await interrupted(rig.sync, wait)).toMatchObject({
    ...{ code: 130, stdout: '', stderr: `${wait}\n${stopping}\n` },
  });
  expect(await interrupted(rig.register)).toMatchObject({ code: 130, stdout: '', stderr: `${stopping}\n` });
  expect(await interrupted(rig.predict)).toMatchObject({ signal: 'SIGINT', stderr: '' });
  expect(await interrupted(['mlflow'])).toMatchObject({
    ...{ code: 130, stdout: '', stderr: 'Stopping the server.\n' },
  });
}, 240_000);
