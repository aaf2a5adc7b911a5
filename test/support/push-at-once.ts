import { spawn } from 'node:child_process';
import { directoryBackend } from '../../src/store/directory-backend.ts';
import { openStore } from '../../src/store/store.ts';

/** Pushes runs to a store from as many processes at once, and prints what each push returned as JSON. */
const { DIRECTORIES = '[]', STORE = '', DIRECTORY } = process.env;

const pushOne = async (directory: string) => {
  const store = await openStore(directoryBackend(STORE));
  if (!store.ok) throw new Error(store.errors[0]?.message);
  const pushed = await store.value.push(directory);
  console.log(pushed.ok ? pushed.value : pushed.errors[0]?.message);
};

const inOtherProcess = (directory: string) =>
  new Promise<string>((resolve) => {
    const env = { ...process.env, DIRECTORY: directory };
    const child = spawn(process.execPath, [process.argv[1] ?? ''], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('close', () => resolve(printed.trim()));
  });

if (DIRECTORY === undefined) {
  const directories = JSON.parse(DIRECTORIES) as string[];
  console.log(JSON.stringify(await Promise.all(directories.map(inOtherProcess))));
} else await pushOne(DIRECTORY);
