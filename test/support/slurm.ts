import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const programs = ['slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'munged', 'unshare'];

/** Why no cluster can be started here; undefined where one can. */
export const noSlurm: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'needs root';
  const paths = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':');
  const missing = programs.filter((name) => !paths.some((path) => existsSync(join(path, name))));
  return missing.length > 0
    ? `needs ${missing.join(', ')} (Debian: slurmctld slurmd slurm-client munge)`
    : undefined;
})();

/** A cluster of two nodes on this machine, with two CPUs each. */
export interface Cluster {
  /** For programs that submit to it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs one of Slurm's commands; returns what it prints. */
  readonly slurm: (command: string, ...words: readonly string[]) => string;
  /** Kills a node with everything that it runs, as a power cut does. */
  readonly killNode: (name: NodeName) => void;
  readonly startNode: (name: NodeName) => void;
  /** Processes of jobs, on both nodes. */
  readonly jobProcesses: () => readonly number[];
}

export type NodeName = 'n1' | 'n2';

interface ClusterOptions {
  /** A folder that the node n2 does not see. */
  readonly hidden?: string;
  /** Whether jobs that use more memory than they asked for are ended. */
  readonly limitsMemory?: boolean;
}

/** Starts a cluster before the tests of a file, and ends it with all its processes after them. */
export const testCluster = (options: ClusterOptions = {}): (() => Cluster) => {
  let started: { readonly cluster: Cluster; readonly stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if (noSlurm === undefined) started = await startCluster(options);
  }, 60_000);
  afterAll(async () => {
    await started?.stop();
  }, 60_000);
  return () => {
    if (!started) throw new Error('the cluster is not there');
    return started.cluster;
  };
};

const startCluster = async ({ hidden, limitsMemory = false }: ClusterOptions) => {
  const directory = mkdtempSync(join(tmpdir(), 'unroll-slurm-'));
  // Jobs write their files as the user who submits them; munged wants its folder to be nobody else's.
  chmodSync(directory, 0o755);
  const path = (name: string) => join(directory, name);
  const conf = path('slurm.conf');
  const environment = { SLURM_CONF: conf };
  const env = { ...process.env, ...environment, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  mkdirSync(path('state'));
  writeFileSync(path('munge.key'), Buffer.alloc(1024, 'a key of one test'), { mode: 0o600 });
  const [controller, n1, n2] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(conf, configuration({ directory, controller, ports: { n1, n2 }, limitsMemory }));
  // What Slurm takes for a GPU.
  writeFileSync(path('gres.conf'), 'NodeName=n1 Name=gpu File=/dev/null\n');

  const daemons: ChildProcess[] = [];
  const daemon = (command: string, ...words: readonly string[]): ChildProcess => {
    const child = spawn(command, words, { env, stdio: 'ignore', detached: true });
    daemons.push(child);
    return child;
  };
  const nodes = new Map<NodeName, ChildProcess>();
  const startNode = (name: NodeName) => {
    const start = `exec slurmd -D -N ${name}`;
    const hide = hidden !== undefined && name === 'n2' ? `mount -t tmpfs none '${hidden}' && ` : '';
    nodes.set(name, daemon('unshare', '--mount', 'sh', '-c', hide + start));
  };
  /** Processes with this cluster in their environment. */
  const processes = (): readonly number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(Number)
      .filter((pid) => environmentOf(pid).includes(`SLURM_CONF=${conf}`));
  const jobProcesses = () =>
    processes().filter((pid) => environmentOf(pid).some((one) => one.startsWith('SLURM_JOB_ID=')));
  const killNode = (name: NodeName) => {
    nodes.get(name)?.kill('SIGKILL');
    const ofNode = (pid: number) => commandOf(pid).includes('slurmstepd') && isOnNode(pid);
    const isOnNode = (pid: number) => environmentOf(pid).includes(`SLURMD_NODENAME=${name}`);
    for (const pid of processes().filter((one) => ofNode(one) || isOnNode(one))) kill(pid);
    // The daemon of a job has the environment of the node, whose name is in its title alone.
    for (const pid of processes()) if (commandOf(pid).includes(`slurmstepd-${name}`)) kill(pid);
  };
  const stop = async () => {
    // A daemon may start one while the others are killed.
    await until(() => {
      const left = processes();
      for (const pid of [...left, ...daemons.flatMap(({ pid: one }) => one ?? [])]) kill(pid);
      return left.length === 0;
    });
    rmSync(directory, { recursive: true, force: true });
  };

  daemon(
    'munged',
    '--foreground',
    '--force',
    `--socket=${path('munge.sock')}`,
    `--key-file=${path('munge.key')}`,
    `--pid-file=${path('munged.pid')}`,
    `--log-file=${path('munged.log')}`,
    `--seed-file=${path('munged.seed')}`,
  );
  const slurm = (command: string, ...words: readonly string[]): string =>
    spawnSync(command, words, { env, encoding: 'utf8', timeout: 20_000 }).stdout;
  const read = (name: string) =>
    existsSync(path(name)) ? readFileSync(path(name), 'utf8').slice(-2000) : '';
  const logs = () => ['munged.log', 'slurmctld.log', 'slurmd-n1.log', 'slurmd-n2.log'].map(read).join('\n');
  try {
    await until(() => existsSync(path('munge.sock')), logs);
    daemon('slurmctld', '-D');
    startNode('n1');
    startNode('n2');
    await until(() => slurm('sinfo', '--noheader', '--format=%D %t').startsWith('2 idle'), logs);
  } catch (error) {
    await stop();
    throw error;
  }
  const cluster: Cluster = { environment, slurm, killNode, startNode, jobProcesses };
  return { cluster, stop };
};

const environmentOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

const configuration = ({
  directory,
  controller,
  ports,
  limitsMemory,
}: {
  readonly directory: string;
  readonly controller: number;
  readonly ports: Readonly<Record<NodeName, number>>;
  readonly limitsMemory: boolean;
}): string => {
  const host = hostname().split('.')[0] ?? 'localhost';
  const node = (name: NodeName, more = '') =>
    `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[name]} CPUs=2 RealMemory=4000${more}`;
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${join(directory, 'munge.sock')}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=${controller}
StateSaveLocation=${join(directory, 'state')}
SlurmdSpoolDir=${join(directory, '%n')}
SlurmctldPidFile=${join(directory, 'slurmctld.pid')}
SlurmdPidFile=${join(directory, 'slurmd-%n.pid')}
SlurmctldLogFile=${join(directory, 'slurmctld.log')}
SlurmdLogFile=${join(directory, 'slurmd-%n.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/${limitsMemory ? 'linux\nJobAcctGatherFrequency=task=1\nJobAcctGatherParams=OverMemoryKill' : 'none'}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=10
SwitchType=switch/none
MpiDefault=none
GresTypes=gpu
${node('n1', ' Gres=gpu:1')}
${node('n2')}
PartitionName=main Nodes=ALL Default=YES MaxTime=120 State=UP
PartitionName=short Nodes=ALL MaxTime=5 State=UP
`;
};
