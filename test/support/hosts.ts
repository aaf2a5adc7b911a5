import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { cacheFolder } from '../../src/system/cache-folder.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { createRig, type Rig } from './rig.ts';
import { until } from './until.ts';

/** A host of its own: a network namespace, a host name, and a folder that the other hosts cannot see. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Its folder, as this process sees it: the programs of the rig run here. */
  readonly directory: string;
  /** Unroll on the host, in its folder or in one below. */
  readonly rig: (environment?: NodeJS.ProcessEnv, directory?: string) => Rig;
  /** The words that start another program there. */
  readonly inside: readonly string[];
  /** What every program of the host has in its environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** Process ids of all that runs on the host. */
  readonly processes: () => readonly number[];
}

/** Hosts that reach the hub through a cable each. */
export interface Hosts {
  readonly hub: Host;
  readonly others: readonly Host[];
  /** Pulls the cable of a host: what is sent is lost, and no connection is closed. */
  readonly cut: (host: Host) => void;
  readonly heal: (host: Host) => void;
}

const ip = (...words: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
};

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

const namesBegin = 'unroll-test-';

const namespaces = (): readonly string[] =>
  ip('netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ')[0] ?? [])
    .filter((name) => name.startsWith(namesBegin));

const processesIn = (namespace: string): readonly number[] =>
  ip('netns', 'pids', namespace).trim().split('\n').filter(Boolean).map(Number);

/** Ends all processes of a namespace, and removes it with its cables. */
const remove = async (namespace: string): Promise<void> => {
  await until(() => {
    const left = processesIn(namespace);
    for (const pid of left) kill(pid);
    return left.length === 0;
  });
  ip('netns', 'delete', namespace);
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

/** Why no hosts can be made here; undefined where they can. */
export const noHosts: string | undefined = (() => {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const name = `${namesBegin}${process.pid}-probe`;
  try {
    ip('netns', 'add', name);
    try {
      ip('-n', name, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
    } finally {
      ip('netns', 'delete', name);
    }
    const { status, stderr } = spawnSync('unshare', ['--uts', '--mount', 'true'], { encoding: 'utf8' });
    return status === 0 ? undefined : `needs unshare: ${stderr.trim()}`;
  } catch (error) {
    return `needs ip netns: ${error instanceof Error ? error.message : String(error)}`;
  }
})();

/** What the set-up has made, which a host has as if it had been set up itself. */
const partsOfSetUp = /^(?:tensorflow-.*|native|installations|mlflow-\d.*)$/;

const cacheIn = (directory: string): string => {
  const path = join(directory, 'cache');
  mkdirSync(path);
  const made = cacheFolder();
  for (const name of readdirSync(made))
    if (partsOfSetUp.test(name)) symlinkSync(join(made, name), join(path, name));
  return path;
};

/** Its name, its folder alone of those of all hosts, and then the program. */
const enter =
  'hostname "$1" && shift && for hidden in $1; do mount -t tmpfs none "$hidden" || exit; done && shift && exec "$@"';

const started: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of started.splice(0)) await stop();
});

/** Makes a hub and hosts around it. All of it is gone after the test, with what ran there. */
export const makeHosts = (names: readonly string[]): Hosts => {
  // What a killed test has left.
  for (const name of namespaces()) {
    const owner = Number(name.slice(namesBegin.length).split('-')[0]);
    if (!isAlive(owner)) void remove(name);
  }
  const base = mkdtempSync(join(tmpdir(), 'unroll-hosts-'));
  const all = ['hub', ...names];
  const folderOf = (name: string) => join(base, name);
  const namespaceOf = (name: string) => `${namesBegin}${process.pid}-${name}`;
  for (const name of all) {
    mkdirSync(folderOf(name));
    ip('netns', 'add', namespaceOf(name));
    ip('-n', namespaceOf(name), 'link', 'set', 'lo', 'up');
  }
  started.push(async () => {
    for (const name of all) await remove(namespaceOf(name));
    rmSync(base, { recursive: true, force: true });
  });

  const hostOf = (name: string, address: string): Host => {
    const directory = folderOf(name);
    const hidden = all.filter((other) => other !== name).map(folderOf);
    const environment = { HOME: directory, UNROLL_CACHE: cacheIn(directory) };
    const inside = [
      ...['ip', 'netns', 'exec', namespaceOf(name), 'unshare', '--uts', '--mount'],
      ...['sh', '-c', enter, 'sh', name, hidden.join(' ')],
    ];
    return {
      name,
      address,
      directory,
      inside,
      environment,
      rig: (more = {}, below = directory) =>
        createRig({ ...environment, ...more }, below, packageRoot, inside),
      processes: () => processesIn(namespaceOf(name)),
    };
  };

  const hub = hostOf('hub', '10.0.0.1');
  ip('-n', namespaceOf('hub'), 'address', 'add', `${hub.address}/32`, 'dev', 'lo');
  const others = names.map((name, index) => {
    const address = `10.0.${index + 1}.2`;
    const gateway = `10.0.${index + 1}.1`;
    const own = ['-n', namespaceOf(name)];
    const atHub = ['-n', namespaceOf('hub')];
    ip(...atHub, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespaceOf(name));
    ip(...atHub, 'address', 'add', `${gateway}/24`, 'dev', name);
    ip(...own, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip(...atHub, 'link', 'set', name, 'up');
    ip(...own, 'link', 'set', 'eth0', 'up');
    ip(...own, 'route', 'add', 'default', 'via', gateway);
    return hostOf(name, address);
  });
  return {
    hub,
    others,
    cut: ({ name }) => void ip('-n', namespaceOf('hub'), 'link', 'set', name, 'down'),
    heal: ({ name }) => void ip('-n', namespaceOf('hub'), 'link', 'set', name, 'up'),
  };
};

/** The command line of a process; empty if it has ended. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
};
