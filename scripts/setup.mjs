// The one set-up step: packages, program, native TensorFlow. What is there already is only looked at, so that
// `npm test` and `npm run quickstart` can call it each time. It may be interrupted anywhere and called again.
// Runs in a fresh clone, so it imports nothing but Node.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readStamp, sourceDigest } from './source-digest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const isTerminal = process.stderr.isTTY === true;

/** Holds the numbers of the processes at work on this folder, so that another set-up waits for them. */
const lockName = createHash('sha256').update(root).digest('hex').slice(0, 16);
const lock = join(tmpdir(), `unroll-setup-${lockName}.lock`);
/** A lock that nobody has touched for so long is nobody's, whatever process has its number now. */
const silentMs = 60_000;

/** The command that is running now. */
let running;

class SetupError extends Error {}

const say = (text) => process.stderr.write(`setup: ${text}\n`);

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
};

/** Whether node_modules holds what package-lock.json names. npm writes its own record last, so half an installation has none. */
const packagesAreThere = () => {
  const wanted = readJson('package-lock.json')?.packages;
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || entry.optional || entry.link || installed[path]?.version === entry.version,
  );
};

/** Runs a command quietly and returns what it printed; while it runs, a terminal sees the seconds pass. */
const runQuietly = (label, command, args) =>
  new Promise((resolve, reject) => {
    const startedAt = Date.now();
    const seconds = () => Math.round((Date.now() - startedAt) / 1000);
    let output = '';
    // npm is a script of the shell's on Windows.
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, args, { cwd: root, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    // npm lives on when this process is killed; the next set-up must not start a second one beside it.
    writeFileSync(lock, `${process.pid} ${child.pid ?? ''}`);
    const timer = isTerminal
      ? setInterval(() => process.stderr.write(`\r\x1b[2Ksetup: ${label} (${seconds()} s)`), 1000)
      : undefined;
    if (isTerminal) process.stderr.write(`setup: ${label}`);
    else say(label);
    const collect = (chunk) => (output += chunk);
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const end = () => {
      running = undefined;
      clearInterval(timer);
      if (isTerminal) process.stderr.write(`\r\x1b[2Ksetup: ${label} (${seconds()} s)\n`);
    };
    child.on(
      'error',
      (error) => (end(), reject(new SetupError(`${command} cannot be started: ${error.message}`))),
    );
    child.on('close', (code) => (end(), resolve({ code, output })));
  });

const networkHelp =
  'Check the network (HTTPS_PROXY, npm config get registry) and run `npm run setup` again; what has been fetched is kept.';

const installPackages = async () => {
  // Without npm's record an interrupted installation is seen as such next time.
  rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  // tfjs-node's install script downloads from a host that many networks do not reach; we build its addon ourselves.
  const { code, output } = await runQuietly('installing the packages of package-lock.json', command, [
    ...first,
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (code === 0) return;
  const lines = output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  const told = lines.map((line) => line.replace(/^npm (error|ERR!) ?/, '  ')).slice(0, 8);
  throw new SetupError([`npm ci failed:`, ...told, networkHelp].join('\n'));
};

const buildProgram = async () => {
  const { code, output } = await runQuietly('building dist/ from src/', process.execPath, [
    'scripts/build.mjs',
  ]);
  if (code === 0) return;
  const errors = output.split('\n').filter((line) => /ERROR|Error:/.test(line));
  throw new SetupError([`scripts/build.mjs failed:`, ...(errors.length > 0 ? errors : [output])].join('\n'));
};

// Its own, although src/system/lock.ts is better: that one is there only once dist/ is built.
const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const isStale = () => {
  const touched = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined) return false;
  const holders = readFileSync(lock, 'utf8').split(' ').map(Number).filter(Boolean);
  return Date.now() - touched > silentMs || (holders.length > 0 && !holders.some(isAlive));
};

/** Only one set-up at a time changes node_modules and dist of this folder; one that died leaves no obstacle. */
const withFolderLock = async (work) => {
  for (let told = false; ; told = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale()) rmSync(lock, { force: true });
    else {
      if (!told) say('waiting for another set-up of this folder');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  const beat = setInterval(() => {
    if (existsSync(lock)) utimesSync(lock, new Date(), new Date());
  }, 5000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(lock, { force: true });
  }
};

const programIsThere = () =>
  existsSync(join(root, 'dist', 'setup.js')) && readStamp().digest === sourceDigest();

/** An installed package has its program and its packages from npm; only a clone makes them itself. */
const isClone = existsSync(join(root, 'src')) && existsSync(join(root, 'package-lock.json'));

const main = async () => {
  if (isClone && !(packagesAreThere() && programIsThere())) {
    await withFolderLock(async () => {
      if (!packagesAreThere()) await installPackages();
      if (!programIsThere()) await buildProgram();
    });
  }
  const { setUpCommand } = await import(pathToFileURL(join(root, 'dist', 'setup.js')).href);
  process.exitCode = await setUpCommand(process.argv.includes('--retry'));
};

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => {
    running?.kill();
    process.stderr.write('\nsetup: interrupted. Run `npm run setup` to go on from here.\n');
    process.exit(code);
  });
}

try {
  await main();
} catch (error) {
  say(error instanceof SetupError ? error.message : `this is a bug in Unroll: ${error.stack}`);
  process.exitCode = 1;
}
