import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { readRegularText } from '../system/files.ts';

/** The properties of a processor that decide how fast it trains. */
export interface Processor {
  readonly model: string;
  /** Hardware threads that this process may use. */
  readonly cores: number;
  /** The instruction sets that the kernels can use, such as `avx2`; undefined if the system does not report them. */
  readonly features: readonly string[] | undefined;
}

const known = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'asimd'];

const readFeatures = (): readonly string[] | undefined => {
  const file = '/proc/cpuinfo';
  if (!existsSync(file)) return undefined;
  // The processor's line of flags: `flags` on x86, `Features` on ARM.
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readRegularText(file))?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.split(' '));
  return known.filter((name) => flags.has(name));
};

export const readProcessor = (): Processor => ({
  model: cpus()[0]?.model.trim() || 'unknown',
  cores: availableParallelism(),
  features: readFeatures(),
});
