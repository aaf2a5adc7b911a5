import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { success } from '../../src/diagnostic/diagnostic.ts';
import { setupFailure } from '../../src/tensorflow/install/problem.ts';
import type { SetupRequest } from '../../src/tensorflow/install/setup-request.ts';
import type { Wheel } from '../../src/tensorflow/install/wheel.ts';
import { fakePart } from './fake-part.ts';

/** What a set-up with a small wheel is made of; plain JSON, so that it can be handed to another process. */
export interface FakeSetup {
  /** An empty folder that the cache, the sources and the clones lie in. */
  readonly folder: string;
  readonly wheel: Wheel;
  readonly indexUrl: string;
  /** The folder of a server that has the wheel, in place of the index. */
  readonly mirror?: string;
  /** The name of the clone that is set up. */
  readonly clone?: string;
  /** C++ of a second part, which is not required. */
  readonly extraSource?: string;
  readonly retry?: boolean;
  /** Where commands are looked for; empty: no compiler. */
  readonly path?: string;
}

/** The real set-up on a small wheel: real download, compiler and proof. */
export const fakeSetup = (fake: FakeSetup): SetupRequest & { readonly told: string[] } => {
  const { folder, clone = 'clone' } = fake;
  const parts = [fakePart(folder, { name: 'tfjs_binding', required: true })];
  if (fake.extraSource !== undefined)
    parts.push(fakePart(folder, { name: 'unroll_kernels', required: false, source: fake.extraSource }));
  const told: string[] = [];
  return {
    told,
    cache: join(folder, 'cache'),
    env: {
      PATH: fake.path ?? process.env['PATH'],
      PIP_INDEX_URL: fake.indexUrl,
      PIP_CONFIG_FILE: '/dev/null',
      ...(fake.mirror !== undefined && { UNROLL_TENSORFLOW_MIRROR: fake.mirror }),
    },
    wheel: fake.wheel,
    parts,
    prebuilds: join(folder, 'prebuilds'),
    record: join(folder, 'cache', 'installations', `${clone}.json`),
    retry: fake.retry ?? false,
    sink: { write: (text) => told.push(text), isTerminal: false },
    prove: async (addon) => {
      const program = `process.stdout.write(String(require(${JSON.stringify(addon)})))`;
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', program]);
      return stdout === '42' ? success(undefined) : setupFailure(`the addon says ${stdout}`, '');
    },
  };
};
