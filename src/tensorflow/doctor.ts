import { existsSync, readdirSync, statSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../system/cache-folder.ts';
import { packageVersion } from '../system/package-root.ts';
import {
  doctorHint,
  readInstallation,
  setupProblems,
  type Installation,
  type SetupProblem,
} from './installation.ts';
import type { Probe } from './probe.ts';
import { unknownVersions } from './known-versions.ts';
import { readProcessor } from './processor.ts';
import type { Processor } from './processor.ts';
import { runCommand } from '../system/command.ts';
import { compilerHelp, findCompiler } from './install/compile.ts';
import { runProbe } from './install/prove.ts';
import { setupCommand } from './install/setup-command.ts';

/** The report of `unroll doctor`; `--json` prints it as it is. */
export interface DoctorReport {
  readonly unroll: string;
  readonly node: string;
  readonly system: string;
  /** The back end of a run's process; null if no process with TensorFlow can start. */
  readonly backend: Probe | null;
  /** The origin of native TensorFlow. */
  readonly native: Installation['native'];
  readonly processor: Processor;
  readonly memory: { readonly totalMb: number; readonly freeMb: number };
  readonly cache: { readonly path: string; readonly megabytes: number };
  /** First line of the C++ compiler's version. */
  readonly compiler: string | null;
  /** Only needed for a local MLflow server. */
  readonly python: string | null;
  readonly mlflow: string | null;
  readonly problems: readonly SetupProblem[];
}

const folderBytes = (folder: string): number => {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) =>
        sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
};

/** Versions from the packages' own records: importing MLflow to ask it would take seconds. */
const pythonVersions = `
import sys, importlib.metadata as installed
print(sys.version.split()[0])
try: print(installed.version('mlflow'))
except installed.PackageNotFoundError: pass
`;

const askPython = async (): Promise<{ python: string | null; mlflow: string | null }> => {
  const { code, stdout } = await runCommand('python3', ['-c', pythonVersions], { timeoutMs: 10_000 });
  const [python, mlflow] = code === 0 ? stdout.trim().split('\n') : [];
  return { python: python ?? null, mlflow: mlflow ?? null };
};

const nodeIsSupported = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19);
};

const findProblems = (report: Omit<DoctorReport, 'problems'>): SetupProblem[] => {
  const problems: SetupProblem[] = [];
  const { backend } = report;
  const installation = readInstallation();
  if (!nodeIsSupported(report.node)) {
    problems.push({
      message: `Node ${report.node} is not supported`,
      help: 'Install Node 20.19, 22.13, 24 or later: https://nodejs.org',
    });
  }
  const forced = process.env['UNROLL_BACKEND'];
  if (forced !== undefined && backend && backend.backend !== 'tensorflow') {
    problems.push({
      message: `UNROLL_BACKEND=${forced} forces a slow back end`,
      help: 'unset UNROLL_BACKEND',
    });
  } else if (backend?.backend !== 'tensorflow') {
    problems.push({
      message:
        backend?.warning?.replace(doctorHint, '') ?? 'TensorFlow cannot be loaded in a process of its own',
      help: setupCommand,
    });
  } else if (!backend.kernels.available) {
    problems.push({
      message: `Unroll's own kernels are not used, TensorFlow's are slower: ${backend.kernels.reason}`,
      help: setupCommand,
    });
  }
  const otherVersions = unknownVersions();
  if (otherVersions) problems.push(otherVersions);
  if (installation !== undefined) problems.push(...installation.problems);
  // The package may have come with compiled libraries.
  const isComplete = backend?.backend === 'tensorflow' && backend.kernels.available;
  if (report.compiler === null && !isComplete)
    problems.push({ message: 'No C++ compiler was found', help: compilerHelp });
  const seen = new Set<string>();
  return problems.filter(({ message }) => !seen.has(message) && seen.add(message));
};

/** Checks everything that decides how fast Unroll can train here. Loads TensorFlow in a process of its own. */
export const diagnose = async (): Promise<DoctorReport> => {
  const [probed, compiler, python] = await Promise.all([runProbe(), findCompiler(), askPython()]);
  const cache = cacheFolder();
  const found = {
    unroll: packageVersion,
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    backend: probed.ok ? probed.value : null,
    native: readInstallation()?.native ?? 'none',
    processor: readProcessor(),
    memory: { totalMb: Math.round(totalmem() / 1e6), freeMb: Math.round(freemem() / 1e6) },
    cache: { path: cache, megabytes: Math.round(folderBytes(cache) / 1e6) },
    compiler: compiler?.version ?? null,
    ...python,
  };
  const crash = probed.ok ? [] : setupProblems(probed.errors);
  return { ...found, problems: [...crash, ...findProblems(found)] };
};

const gigabytes = (megabytes: number): string => `${(megabytes / 1000).toFixed(1)} GB`;

/** Formats the report for the terminal. */
export const renderDoctor = (report: DoctorReport): string => {
  const { backend, processor, memory, cache } = report;
  const kernels = backend?.kernels;
  const rows: readonly (readonly [string, string])[] = [
    ['Unroll', `${report.unroll}, Node ${report.node}, ${report.system}`],
    [
      'back end',
      backend
        ? `${backend.backend} ${backend.version}, loads in ${(backend.loadMs / 1000).toFixed(2)} s, ${backend.memoryMb} MB a process`
        : 'none can be loaded',
    ],
    [
      'own kernels',
      kernels?.available
        ? `${kernels.instructionSet}, bfloat16 ${kernels.bfloat16.includes('emulated') ? kernels.bfloat16 : `with ${kernels.bfloat16}`}`
        : 'not used',
    ],
    [
      'processor',
      `${processor.model}, ${processor.cores} cores; ${processor.features?.join(' ') ?? 'features unknown'}`,
    ],
    ['memory', `${gigabytes(memory.totalMb)}, ${gigabytes(memory.freeMb)} free`],
    ['cache', `${cache.path}, ${gigabytes(cache.megabytes)}`],
    ['compiler', report.compiler ?? 'none'],
    [
      'Python',
      `${report.python ?? 'none'}, MLflow ${report.mlflow ?? 'not installed'} (for a local server only)`,
    ],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  const told = report.problems.flatMap(({ message, help }) => [`- ${message}`, `  fix: ${help}`]);
  return [...lines, '', ...(told.length > 0 ? told : ['Nothing is missing.'])].join('\n');
};
