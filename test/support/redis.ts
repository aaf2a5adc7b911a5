import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createConnection } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { freePort } from './free-port.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

/** Why no Redis can be started here; undefined where one can. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'needs redis-server';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  readonly process: () => ChildProcess;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const started = new Set<ChildProcess>();

afterEach(() => {
  for (const server of started) server.kill('SIGKILL');
  started.clear();
});

/** A Redis of this test alone, on a free port and in a folder of its own; `lines` are added to its configuration. */
export const startRedis = async (
  lines: readonly string[] = [],
  { tls = false }: { readonly tls?: boolean } = {},
): Promise<TestRedis> => {
  const directory = temporaryDirectory();
  const port = await freePort();
  const file = join(directory, 'redis.conf');
  const ports = tls ? ['port 0', `tls-port ${port}`] : [`port ${port}`];
  const settings = [
    ...ports,
    'bind 127.0.0.1',
    `dir ${directory}`,
    'appendonly yes',
    'save ""',
    'maxmemory-policy noeviction',
    ...lines,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  let server: ChildProcess;
  const start = async () => {
    server = spawn('redis-server', [file], { stdio: 'ignore' });
    started.add(server);
    let state: 'closed' | 'asking' | 'open' = 'closed';
    const ask = () => {
      state = 'asking';
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.once('connect', () => {
        state = 'open';
        socket.destroy();
      });
      socket.once('error', () => {
        state = 'closed';
      });
    };
    await until(() => {
      if (state === 'closed') ask();
      return state === 'open';
    });
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    process: () => server,
    start,
    kill: async () => {
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGKILL');
      await closed;
    },
  };
};
