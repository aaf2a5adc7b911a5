import { expect, test } from 'vitest';
import { diagnose, renderDoctor } from '../../src/tensorflow/doctor.ts';
import type { DoctorReport } from '../../src/tensorflow/doctor.ts';

const healthy: DoctorReport = {
  unroll: '0.1.0',
  node: '20.19.0',
  system: 'linux x64',
  backend: {
    backend: 'tensorflow',
    version: '2.21.0',
    kernels: {
      available: true,
      instructionSet: 'AVX2',
      bfloat16: 'emulated',
      threads: 2,
      path: '/cache/unroll_kernels.node',
    },
    loadMs: 350,
    memoryMb: 380,
  },
  native: 'built',
  processor: { model: 'Some CPU', cores: 2, features: ['avx2', 'fma'] },
  memory: { totalMb: 16_000, freeMb: 8_000 },
  cache: { path: '/home/anna/.cache/unroll', megabytes: 855 },
  compiler: 'g++ 12.2.0',
  python: '3.11.7',
  mlflow: null,
  problems: [],
};

test('a healthy machine is told in a few lines', () => {
  expect(renderDoctor(healthy)).toMatchInlineSnapshot(`
    "Unroll      0.1.0, Node 20.19.0, linux x64
    back end    tensorflow 2.21.0, loads in 0.35 s, 380 MB a process
    own kernels AVX2, bfloat16 emulated
    processor   Some CPU, 2 cores; avx2 fma
    memory      16.0 GB, 8.0 GB free
    cache       /home/anna/.cache/unroll, 0.9 GB
    compiler    g++ 12.2.0
    Python      3.11.7, MLflow not installed (for a local server only)

    Nothing is missing."
  `);
});

test('each problem comes with its fix', () => {
  const problems = [{ message: 'No C++ compiler was found', help: 'apt install g++' }];
  const text = renderDoctor({ ...healthy, backend: null, compiler: null, problems });
  expect(text).toContain('none can be loaded');
  expect(text).toContain('- No C++ compiler was found\n  fix: apt install g++');
  expect(text).not.toContain('Nothing is missing');
});

test('this machine is diagnosed without loading TensorFlow into this process', async () => {
  const report = await diagnose();
  expect(report.backend).toMatchObject({ backend: 'tensorflow', version: '2.21.0' });
  expect(report.processor.cores).toBeGreaterThan(0);
  expect(report.cache.megabytes).toBeGreaterThanOrEqual(0);
  expect(report.compiler).toMatch(/\d/);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  // tfjs keeps its engine in a global.
  expect(globalThis).not.toHaveProperty('_tfengine');
});

test('a forced slow back end is a problem to tell', async () => {
  process.env['UNROLL_BACKEND'] = 'wasm';
  try {
    const { backend, problems } = await diagnose();
    expect(backend?.backend).toBe('wasm');
    expect(problems.map(({ message }) => message)).toContain('UNROLL_BACKEND=wasm forces a slow back end');
  } finally {
    delete process.env['UNROLL_BACKEND'];
  }
});
