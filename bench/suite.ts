/**
 * Measures Unroll against its peers: the same work in turns on the same cores, several rounds, medians and ratios.
 *
 *     npm run bench                      everything, about three quarters of an hour on a quiet machine of two cores
 *     npm run bench -- step sweep        some parts: step shapes peak sweep tiny record scale memory
 *     npm run bench -- step --only 'hidden 64' --rounds 2 --dry-run
 *     npm run bench -- --docs            only writes the tables again
 *
 * The peers are installed into virtual environments in the per-user cache (Python 3.11 or later with venv). Results go
 * to a folder of bench/results for each kind of machine, and from there into docs/performance.md and docs/performance.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/system/package-root.ts';
import { serveLayersSteps } from './suite/layers-steps.ts';
import { describeMachine } from './suite/machine.ts';
import { partNames, parts, type PartName, type PartOptions, type ResultFile } from './suite/parts.ts';
import { peersFolder } from './suite/peers.ts';
import { say } from './suite/processes.ts';
import { writePerformancePages } from './suite/page.ts';
import { writeResult } from './suite/results.ts';
import { serveUnrollSteps } from './suite/unroll-steps.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    /** Writes nothing. */
    'dry-run': { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    /** Internal: this process takes steps. */
    serve: { type: 'string' },
  },
});

const resultsFolder = join(packageRoot, 'bench', 'results');

/** Pinned versions, by package. */
const peerVersions = (): Record<string, string> =>
  Object.fromEntries(
    ['torch.txt', 'keras.txt'].flatMap((file) =>
      readFileSync(join(peersFolder, file), 'utf8')
        .split('\n')
        .flatMap((line) => {
          const [name, version] = line.split('==');
          return name && version ? [[name, version] as const] : [];
        }),
    ),
  );

const measure = async (part: PartName, chosen: PartOptions): Promise<void> => {
  say(`== ${part}`);
  const began = performance.now();
  const result = await parts[part](chosen);
  say(`== ${part}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const file: ResultFile = {
    part,
    command: `npm run bench -- ${part}`,
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    peers: peerVersions(),
    result,
  };
  if (options['dry-run']) process.stdout.write(`${JSON.stringify(file, null, 2)}\n`);
  else writeResult(resultsFolder, file);
};

const main = async (): Promise<void> => {
  const unknown = positionals.find((word) => !partNames.includes(word as PartName));
  if (unknown !== undefined)
    throw new Error(`No part is named ${unknown}: there are ${partNames.join(', ')}.`);
  const chosen = partNames.filter((part) => positionals.length === 0 || positionals.includes(part));
  if (!options.docs)
    for (const part of chosen)
      await measure(part, {
        rounds: options.rounds === undefined ? undefined : Number(options.rounds),
        only: options.only,
      });
  if (!options['dry-run']) await writePerformancePages(resultsFolder);
};

switch (options.serve) {
  case 'unroll':
    await serveUnrollSteps();
    break;
  case 'layers':
    await serveLayersSteps();
    break;
  case undefined:
  default:
    await main();
}
