/**
 * The largest memory that a training on a large file takes: writes the file, runs `unroll run` on it twice (the first time
 * packs the file), predicts the whole file with the result, and adds up the memory of the processes every 200 ms. `series`
 * is one series of a million rows, read in a million windows of 100 steps. Linux only.
 *
 *     node bench/run.mjs large-data.ts [--kind csv|parquet|series] [--megabytes 1000] [--steps 200] [--keep FOLDER] [--small]
 *
 * With `--small` the training is on 20 MB of the same form, and only the prediction of the large file is measured.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ParquetWriter, schemaFromColumnData, fileWriter } from 'hyparquet-writer';
import { randomStream } from '../src/data/random.ts';
import { packageRoot } from '../src/system/package-root.ts';

const { values: options } = parseArgs({
  options: {
    kind: { type: 'string', default: 'csv' },
    megabytes: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '200' },
    keep: { type: 'string' },
    small: { type: 'boolean', default: false },
  },
});

/** Sequences of 20 to 49 steps of four numbers, and a label that is the sign of their sum. */
interface Sequence {
  readonly id: number;
  readonly rows: readonly (readonly number[])[];
  readonly label: string;
}

const sequences = function* (): Generator<Sequence, never> {
  const random = randomStream(1, 'large-csv');
  for (let id = 0; ; id++) {
    const rows = Array.from({ length: 20 + random.integer(30) }, () =>
      Array.from({ length: 4 }, () => random.normal()),
    );
    const label = rows.flat().reduce((sum, value) => sum + value, 0) > 0 ? 'up' : 'down';
    yield { id, rows, label };
  }
};

/** After this many sequences only the ids and one column differ. */
const differentSequences = 10_000;

const writeTable = (path: string, bytes: number): void => {
  const file = openSync(path, 'w');
  let written = writeSync(file, 'id,step,a,b,c,d,label\n');
  const known: { readonly lines: readonly string[]; readonly label: string }[] = [];
  for (const { rows, label } of sequences()) {
    const lines = rows.map((row, step) =>
      [step, ...row.slice(0, 3).map((value) => value.toFixed(6))].join(','),
    );
    known.push({ lines, label });
    if (known.length === differentSequences) break;
  }
  for (let id = 0; written < bytes;) {
    let block = '';
    for (; block.length < 1 << 16; id++) {
      const { lines, label } = known[id % known.length] as (typeof known)[number];
      for (const line of lines)
        block += `${id},${line},${((id * 7919) % 1_000_003) / 500_000 - 1},${label}\n`;
    }
    written += writeSync(file, block);
  }
  closeSync(file);
};

const rowsInGroup = 100_000;

const parquetColumns = [
  ...(['id', 'step'] as const).map((name) => ({ name, type: 'INT32' as const })),
  ...['a', 'b', 'c', 'd'].map((name) => ({ name, type: 'DOUBLE' as const })),
  { name: 'label', type: 'STRING' as const },
];

/** As the table, in row groups of sequences, uncompressed: its numbers are random. */
const writeParquet = (path: string, bytes: number): void => {
  const writer = fileWriter(path);
  const schema = schemaFromColumnData({
    columnData: parquetColumns.map((column) => ({ ...column, data: [] })),
  });
  const file = new ParquetWriter({ writer, schema, codec: 'UNCOMPRESSED', statistics: false });
  const group = sequences();
  const known = Array.from({ length: rowsInGroup / 40 }, () => group.next().value);
  const flat = known.flatMap(({ id, rows, label }) => rows.map((row, step) => ({ id, step, row, label })));
  const labels = flat.map(({ label }) => label);
  const steps = Int32Array.from(flat, ({ step }) => step);
  const numbers = [0, 1, 2].map((at) => Float64Array.from(flat, ({ row }) => row[at] ?? 0));
  for (let first = 0; writer.offset < bytes; first += known.length) {
    const ids = Int32Array.from(flat, ({ id }) => first + id);
    const last = Float64Array.from(ids, (id) => ((id * 7919) % 1_000_003) / 500_000 - 1);
    const data = [ids, steps, ...numbers, last, labels];
    void file.write({
      columnData: parquetColumns.map((column, at) => ({
        ...column,
        data: data[at] ?? [],
        ...(column.type === 'DOUBLE' && { encoding: 'PLAIN' as const }),
      })),
    });
  }
  void file.finish();
};

const rowsOfSeries = 1_000_000;

const writeSeries = (path: string): void => {
  const random = randomStream(1, 'large-series');
  const file = openSync(path, 'w');
  writeSync(file, 'time,value\n');
  for (let row = 0; row < rowsOfSeries; row += 1000) {
    const lines = Array.from(
      { length: 1000 },
      (_, at) => `${row + at},${(Math.sin((row + at) / 24) + random.normal()).toFixed(6)}\n`,
    );
    writeSync(file, lines.join(''));
  }
  closeSync(file);
};

const columns = 'sequence: id, order: step, targets: [label]';

/** A file and how it is read. */
const kinds: Readonly<
  Record<
    string,
    { readonly file: string; readonly write: (path: string, bytes: number) => void; readonly dataset: string }
  >
> = {
  csv: { file: 'large.csv', write: writeTable, dataset: `name: csv-sequences, ${columns}` },
  parquet: { file: 'large.parquet', write: writeParquet, dataset: `name: parquet-sequences, ${columns}` },
  series: {
    file: 'series.csv',
    write: writeSeries,
    dataset: 'name: csv-series, time: time, targets: [value], window: 100, horizon: 1',
  },
};

const spec = (dataset: string, steps: string) => `version: 1
name: large-data
dataset: { ${dataset} }
model: { name: lstm, hiddenSize: 64 }
optimizer: { name: adam, learningRate: 0.001 }
train: { batchSize: 128, steps: ${steps}, displayEvery: 50 }
`;

/** The processes that descend from one, and itself. */
const family = (root: number): readonly number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const within = (pid: number | undefined): boolean =>
    pid === root || (pid !== undefined && within(parents.get(pid)));
  return [...parents.keys()].filter(within);
};

interface Memory {
  /** The sum of what each process has in memory (RSS). */
  readonly sum: number;
  /** The same, but pages of a file, such as the program of Node, count once: both processes use the same ones. */
  readonly once: number;
  /** The sum of proportional set sizes (PSS): a page counts by the share of all processes of the machine that use it. */
  readonly proportional: number;
}

/** Bytes of a process and all that descend from it. */
const memoryOf = (root: number): Memory => {
  let sum = 0;
  let own = 0;
  let proportional = 0;
  const files = new Map<string, number>();
  for (const pid of family(root)) {
    for (const [file, bytes] of mappingsOf(pid)) {
      sum += bytes.resident;
      own += bytes.own;
      proportional += bytes.proportional;
      files.set(file, Math.max(files.get(file) ?? 0, bytes.resident - bytes.own));
    }
  }
  return { sum, proportional, once: own + [...files.values()].reduce((total, bytes) => total + bytes, 0) };
};

interface Mapped {
  resident: number;
  proportional: number;
  /** Of `resident`, what is the process' own and of no file. */
  own: number;
}

/** Bytes in memory of a process by mapped file. */
const mappingsOf = (pid: number): ReadonlyMap<string, Mapped> => {
  const found = new Map<string, Mapped>();
  let lines: readonly string[];
  try {
    lines = readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n');
  } catch {
    return found;
  }
  let here: Mapped = { resident: 0, proportional: 0, own: 0 };
  for (const line of lines) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (mapping) {
      const file = mapping[1] ?? '';
      here = found.get(file) ?? { resident: 0, proportional: 0, own: 0 };
      found.set(file, here);
      continue;
    }
    const bytes = 1024 * Number(/\d+/.exec(line)?.[0]);
    if (line.startsWith('Rss:')) here.resident += bytes;
    else if (line.startsWith('Pss:')) here.proportional += bytes;
    else if (line.startsWith('Anonymous:')) here.own += bytes;
  }
  return found;
};

/** Runs a command of Unroll in a folder. */
const measured = async (
  folder: string,
  words: readonly string[],
): Promise<{ seconds: number; processor: number } & Memory> => {
  const started = performance.now();
  const before = processorTime();
  const child = spawn(process.execPath, [join(packageRoot, 'bin', 'unroll.js'), ...words], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let peak: Memory = { sum: 0, once: 0, proportional: 0 };
  const watch = setInterval(() => {
    if (child.pid === undefined) return;
    const now = memoryOf(child.pid);
    peak = {
      sum: Math.max(peak.sum, now.sum),
      once: Math.max(peak.once, now.once),
      proportional: Math.max(peak.proportional, now.proportional),
    };
  }, 200);
  const code = await new Promise((done) => child.once('exit', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`unroll ${words.join(' ')} ended with ${String(code)}.`);
  return { seconds: (performance.now() - started) / 1000, processor: processorTime() - before, ...peak };
};

/** Seconds of all ended children and their children. */
const processorTime = (): number => {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  // Clock ticks of children, in user and in system mode.
  return (Number(fields[13]) + Number(fields[14])) / 100;
};

const kind = kinds[options.kind];
if (!kind) throw new Error(`--kind is one of ${Object.keys(kinds).join(', ')}.`);
const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'unroll-large-data-'));
mkdirSync(folder, { recursive: true });
try {
  const path = join(folder, kind.file);
  if (!existsSync(path)) kind.write(path, Number(options.megabytes) * 1e6);
  console.log(`${kind.file}: ${(statSync(path).size / 1e6).toFixed(0)} MB`);
  const trainedOn = options.small ? `small-${kind.file}` : kind.file;
  if (options.small) kind.write(join(folder, trainedOn), 20e6);
  writeFileSync(join(folder, 'spec.yaml'), spec(`${kind.dataset}, file: ${trainedOn}`, options.steps));
  const predict = ['predict', 'best:large-data', '--input', kind.file, '--output', 'answers.csv'];
  for (const [name, words] of [
    [options.small ? 'run on the small file' : 'first run, packs the file', ['run', 'spec.yaml']],
    ...(options.small ? [] : [['second run', ['run', 'spec.yaml', '--force']] as const]),
    ...(options.kind === 'series' ? [] : [['prediction of the file', predict] as const]),
  ] as const) {
    const { seconds, processor, ...peak } = await measured(folder, words);
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `${name}: ${seconds.toFixed(1)} s, of the processors ${processor.toFixed(1)} s; at most ${mb(peak.once)} with shared pages counted once, ${mb(peak.sum)} as a plain sum, ${mb(peak.proportional)} by shares (PSS)`,
    );
  }
} finally {
  if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
