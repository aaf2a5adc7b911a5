// The figures of `unroll serve`:
//   node bench/run.mjs serve.ts load FOLDER      one 28x28 image a request, 1,000 requests/s, server on one core
//   node bench/run.mjs serve.ts malformed [n]    malformed bodies to six models; memory before and after
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../src/data/random.ts';
import { packageRoot } from '../src/system/package-root.ts';
import { malformedBody, modelsOfEachKind, type validBodies } from '../test/support/malformed-bodies.ts';

const program = join(packageRoot, 'bin', 'unroll.js');

/** Starts a server, on some cores where they are named, and waits for its address. */
const start = async (models: readonly string[], cores?: string) => {
  const words = [program, 'serve', ...models, '--port', '0', '--log', 'none', '--max-body', '100kB'];
  const child =
    cores === undefined
      ? spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('taskset', ['-c', cores, process.execPath, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const url = /http:\S+/.exec(text)?.[0];
    if (url !== undefined) return { child, url };
  }
  throw new Error('The server has not started.');
};

const statusOf = (pid: number, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Seconds of processor time. */
const processorTime = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const load = async (folder: string): Promise<void> => {
  const { child, url } = await start([`digits=${folder}`], '0');
  const random = randomStream(1, 'image');
  const image = Array.from({ length: 28 }, () => Array.from({ length: 28 }, () => random.integer(256)));
  const body = join(mkdtempSync(join(tmpdir(), 'unroll-bench-serve-')), 'image.json');
  writeFileSync(body, JSON.stringify({ inputs: [image] }));
  const fire = (connections: number, seconds: number, rate?: number) => {
    const before = processorTime(child.pid ?? 0);
    const { stdout } = spawnSync(
      'taskset',
      [
        ...['-c', '1', process.execPath, join(packageRoot, 'node_modules', 'autocannon', 'autocannon.js')],
        ...['-c', String(connections), '-d', String(seconds), '-m', 'POST', '-i', body, '--json'],
        ...['-H', 'content-type=application/json', ...(rate === undefined ? [] : ['-R', String(rate)])],
        `${url}/invocations`,
      ],
      { encoding: 'utf8' },
    );
    const { requests, latency, non2xx } = JSON.parse(stdout) as {
      readonly requests: { readonly average: number; readonly total: number };
      readonly latency: {
        readonly p50: number;
        readonly p97_5: number;
        readonly p99: number;
        readonly max: number;
      };
      readonly non2xx: number;
    };
    const spent = ((processorTime(child.pid ?? 0) - before) / requests.total) * 1000;
    console.log(
      `${connections} connections, ${rate ?? 'as many as possible'}: ${requests.average} requests/s, ` +
        `p50 ${latency.p50} ms, p97.5 ${latency.p97_5} ms, p99 ${latency.p99} ms, max ${latency.max} ms, ` +
        `${non2xx} not 200, ${spent.toFixed(3)} ms of processor time a request`,
    );
  };
  fire(10, 5);
  for (let again = 0; again < 3; again++) {
    fire(10, 10, 1000);
    fire(10, 10);
  }
  child.kill('SIGTERM');
};

const malformed = async (count: number): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bench-serve-'));
  try {
    const models = await modelsOfEachKind(folder);
    const { child, url } = await start(
      Object.entries(models).map(([name, { directory }]) => `${name}=${directory}`),
    );
    const counts = new Map<number, number>();
    const send = async ({ model, type, text }: (typeof validBodies)[number]) => {
      const headers = { 'content-type': type };
      const path = `${url}/models/${model}/invocations`;
      const response = await fetch(path, { method: 'POST', headers, body: Buffer.from(text) });
      await response.arrayBuffer();
      counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
      if (response.status >= 500) console.log(`${response.status}: ${JSON.stringify({ model, type, text })}`);
    };
    for (let from = 0; from < count; from += 20) {
      if (from % (count / 6) === 0)
        console.log(`${from} bodies: ${statusOf(child.pid ?? 0, 'VmRSS').toFixed(1)} MB`);
      await Promise.all(
        Array.from({ length: 20 }, (_, at) => send(malformedBody(randomStream(1, 'malformed', from + at)))),
      );
    }
    console.log(
      `${count} bodies: ${statusOf(child.pid ?? 0, 'VmRSS').toFixed(1)} MB, answers by status: ${JSON.stringify([...counts])}`,
    );
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    console.log(`exit code ${child.exitCode}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const [what, given] = process.argv.slice(2);
if (what === 'load' && given !== undefined) await load(given);
else if (what === 'malformed') await malformed(Number(given ?? 24_000));
else console.log('node bench/run.mjs serve.ts load FOLDER | malformed [n]');
