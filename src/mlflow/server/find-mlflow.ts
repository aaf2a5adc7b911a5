import { readRegularText, ensureFolder } from '../../system/files.ts';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../../system/cache-folder.ts';
import { runCommand } from '../../system/command.ts';
import { acquireLock } from '../../system/lock.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from '../client/problem.ts';

/** The version that Unroll installs and is tested with. */
export const mlflowVersion = '3.17.2';

/** What else must be pinned beside a version to have it work today. */
const companions: Readonly<Record<string, readonly string[]>> = {
  '2.22.5': ['sqlalchemy<2.1', 'setuptools<81'],
};

/** How to call a found MLflow: a program and its first arguments. */
export interface MlflowProgram {
  readonly command: readonly [string, ...string[]];
  readonly version: string;
  /** The folder of its virtual environment's programs, if it has one. */
  readonly binaries?: string;
}

export interface FindOptions {
  readonly version?: string;
  readonly print: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Takes only an environment of our own, whatever is on the PATH. */
  readonly own?: boolean;
}

const binaryFolder = (folder: string) => join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
const pythonOf = (folder: string) =>
  join(binaryFolder(folder), process.platform === 'win32' ? 'python.exe' : 'python');

const ownProgram = (folder: string, version: string): MlflowProgram => ({
  command: [pythonOf(folder), '-m', 'mlflow'],
  version,
  binaries: binaryFolder(folder),
});

/** Written last, so that an interrupted installation is begun again. */
const stamp = (folder: string) => join(folder, 'installed.json');

const isInstalled = (folder: string, version: string): boolean => {
  try {
    return (JSON.parse(readRegularText(stamp(folder))) as { version?: string }).version === version;
  } catch {
    return false;
  }
};

const onPath = (name: string, env: NodeJS.ProcessEnv): string | undefined =>
  (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** A Python that MLflow runs on, with its version. */
const findPython = async (env: NodeJS.ProcessEnv): Promise<Answer<string>> => {
  let found: string | undefined;
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']) {
    const path = onPath(process.platform === 'win32' ? `${name}.exe` : name, env);
    if (!path) continue;
    const { code, stdout } = await runCommand(path, ['-c', 'import sys; print(*sys.version_info[:2])']);
    const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
    if (code !== 0) continue;
    found = `${major}.${minor}`;
    if (major === 3 && minor >= 10) return success(path);
  }
  return problem(
    'settings',
    found === undefined
      ? 'MLflow needs Python 3.10 or newer, and no Python is on the PATH.'
      : `MLflow needs Python 3.10 or newer; the newest here is ${found}.`,
    {
      help: 'Install it (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python), or give the address of a server that runs elsewhere.',
    },
  );
};

const lastLines = (text: string) => text.trim().split('\n').slice(-3).join(' ');

const install = async (
  folder: string,
  version: string,
  { print, env = process.env, signal }: FindOptions,
): Promise<Answer<MlflowProgram>> => {
  const python = await findPython(env);
  if (!python.ok) return python;
  print(`Installing MLflow ${version} into ${folder} (once; about 700 MB, a few minutes).`);
  rmSync(folder, { recursive: true, force: true });
  ensureFolder(folder);
  const made = await runCommand(python.value, ['-m', 'venv', folder], { signal });
  if (made.code !== 0)
    return problem(
      'settings',
      `The virtual environment for MLflow cannot be made: ${lastLines(made.output)}`,
      {
        help: 'On Debian and Ubuntu: apt install python3-venv.',
      },
    );
  const started = Date.now();
  const ticker = setInterval(
    () => print(`  still installing (${Math.round((Date.now() - started) / 1000)} s)`),
    20_000,
  );
  const installed = await runCommand(
    pythonOf(folder),
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `mlflow==${version}`,
      ...(companions[version] ?? []),
    ],
    { signal },
  );
  clearInterval(ticker);
  if (installed.code !== 0)
    return problem('settings', `MLflow ${version} cannot be installed: ${lastLines(installed.output)}`, {
      help: `Check the network and pip's index, then try again. An MLflow of your own on the PATH is taken, too: pip install mlflow==${version}`,
    });
  writeFileSync(stamp(folder), JSON.stringify({ version }));
  return success(ownProgram(folder, version));
};

/**
 * An MLflow to start: the one that was installed here before, else one on the PATH (version 3), else a pinned one in a
 * virtual environment of the user's cache folder.
 */
export const findMlflow = async (options: FindOptions): Promise<Answer<MlflowProgram>> => {
  const { version = mlflowVersion, env = process.env, own = false } = options;
  const folder = join(cacheFolder(env), `mlflow-${version}`);
  if (isInstalled(folder, version)) return success(ownProgram(folder, version));
  const path = own ? undefined : onPath(process.platform === 'win32' ? 'mlflow.exe' : 'mlflow', env);
  if (path) {
    const { output } = await runCommand(path, ['--version']);
    const found = /version (3\.\d+[\w.]*)/.exec(output)?.[1];
    if (found !== undefined) return success({ command: [path], version: found });
  }
  const lock = acquireLock(`${folder}.lock`);
  if ('heldBy' in lock)
    return problem('settings', `Another process (${lock.heldBy.pid}) is installing MLflow ${version}.`, {
      help: 'Wait until it is done, then try again.',
    });
  try {
    return isInstalled(folder, version)
      ? success(ownProgram(folder, version))
      : await install(folder, version, options);
  } finally {
    lock.release();
  }
};
