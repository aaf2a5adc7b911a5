import { availableParallelism, cpus, hostname, platform, release, userInfo } from 'node:os';
import { runCommand } from '../system/command.ts';
import { builtInCode } from '../system/built-in-code.ts';
import { packageVersion } from '../system/package-root.ts';
import { masked } from '../system/secrets.ts';
import type { EnvironmentFile, HostEnvironment } from './run-files.ts';

/** The cores that this process may use. */
export const coreCount = (): number => availableParallelism();

/** What a git command prints; undefined where it fails or git is not installed. */
const git = async (directory: string, ...words: readonly string[]): Promise<string | undefined> => {
  const { code, stdout } = await runCommand('git', ['-C', directory, ...words], { timeoutMs: 5000 });
  return code === 0 ? stdout.trim() : undefined;
};

/** The commit that a folder is at, or nothing where it is in no git repository (or git is not installed). */
const gitState = async (directory: string): Promise<EnvironmentFile['git']> => {
  const [commit, branch, status, remote = ''] = await Promise.all([
    git(directory, 'rev-parse', 'HEAD'),
    git(directory, 'rev-parse', '--abbrev-ref', 'HEAD'),
    git(directory, 'status', '--porcelain'),
    git(directory, 'config', '--get', 'remote.origin.url'),
  ]);
  if (commit === undefined || branch === undefined || status === undefined) return null;
  return { commit, branch: masked(branch), dirty: status !== '', remote: masked(remote) };
};

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
};

const builtInCodeFact = (): Pick<HostEnvironment, 'builtInCode'> => {
  const digest = builtInCode();
  return digest === undefined ? {} : { builtInCode: digest };
};

/** The versions and the machine of this process. */
export const machineFacts = (): Omit<HostEnvironment, 'commandLine' | 'git'> => ({
  unroll: packageVersion,
  ...builtInCodeFact(),
  node: process.versions.node,
  platform: `${platform()} ${release()} ${process.arch}`,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: coreCount(),
  host: hostname(),
  user: userName(),
});

/** Collects the versions, the machine, the command line and the state of the spec's repository. */
export const captureEnvironment = async (
  specDirectory: string,
  commandLine: string,
): Promise<HostEnvironment> => ({
  ...machineFacts(),
  commandLine: masked(commandLine),
  git: await gitState(specDirectory),
});
