import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createRig } from '../support/rig.ts';

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

test.each(Object.entries(servers))(
  'a server that %s does not hold sync, register or predict',
  async (_, answer) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const rig = createRig({
      MLFLOW_TRACKING_URI: uri,
      ...{ MLFLOW_HTTP_REQUEST_TIMEOUT: '1', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1' },
    });
    cpSync('test/fixtures/recorded-by-0.1.0/runs', join(rig.directory, 'runs'), { recursive: true });
    const { code, stdout, stderr } = await rig.unroll('sync', 'csv', '--to', uri);
    expect(code, stdout + stderr).toBe(2);
    const predicted = rig.unroll('predict', 'models:/digits/1', '--input', 'x.csv');
    const registered = rig.unroll('register', rig.runIds('csv')[0] ?? '', '--name', 'a', '--to', uri);
    for (const other of [await predicted, await registered]) {
      expect(other.code, other.stdout + other.stderr).toBe(2);
      expect(other.stderr).toContain(uri);
    }
    expect(stderr + stdout).toContain(uri);
    expect(stderr + stdout).toMatch(/did not (answer|finish)|no answer|within 1 s|timed? ?out/i);
  },
  120_000,
);
