import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/system/package-root.ts';

interface Fixture {
  readonly versions: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cases: readonly Case[];
}

interface Case {
  /** Such as `0: lstm {}, classification of pixels, {"both":false, ...}`. */
  readonly case: string;
  readonly onnx?: number;
  readonly torch?: number;
  readonly keras?: number;
}

const peers = ['onnx', 'torch', 'keras'] as const;

/** Writes the comparison that test/fixtures/exports.json has, one line for each cell, kind of data and setting. */
export const writeExportsReport = (): void => {
  const path = join(packageRoot, 'test', 'fixtures', 'exports.json');
  const { versions, limit, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const parted = cases.map((one) => ({ ...one, ...partsOf(one.case) }));
  const settings = new Set(parted.flatMap(({ settings }) => settings));
  const groups = (of: (one: (typeof parted)[number]) => readonly string[]) =>
    [...new Set(parted.flatMap(of))].sort().map((name) =>
      line(
        name,
        parted.filter((one) => of(one).includes(name)),
      ),
    );
  const table = (title: string, lines: readonly string[]) =>
    [
      `| ${title} | cases | ONNX Runtime | PyTorch | Keras |`,
      '| --- | ---: | ---: | ---: | ---: |',
      ...lines,
    ].join('\n');
  const text = `# Exports beside their peers

Written by \`bench/exports.ts\`; do not edit. Each of ${cases.length} trained networks has 1,000 examples, of varying length
where the case says so. The table shows the largest difference of raw outputs and predictions from ours; where the largest prediction is above 1, differences of predictions are divided by it. Classes are the same in every example,
so accuracy and confusion matrix are. The limit is ${limit}. ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}. Keras has no peepholes, projection or layer normalisation.

${table('all', [line('all', parted)])}

${table(
  'cell',
  groups(({ cell }) => [cell]),
)}

${table(
  'data',
  groups(({ data }) => [data]),
)}

${table('setting', settings.size === 0 ? [] : groups(({ settings }) => settings))}
`;
  writeFileSync(join(packageRoot, 'bench', 'results', 'exports.md'), text);
};

const partsOf = (text: string) => {
  const [, cell = '', data = '', json = '{}'] = /^\d+: (\S+ \{.*?\}), (.*), (\{.*\})$/.exec(text) ?? [];
  const settings = Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  );
  return { cell, data, settings };
};

const line = (name: string, cases: readonly Case[]): string => {
  const largest = peers.map((peer) => {
    const found = cases.flatMap((one) => one[peer] ?? []);
    return found.length === 0 ? '' : Math.max(...found).toExponential(1);
  });
  return `| ${name} | ${cases.length} | ${largest.join(' | ')} |`;
};
