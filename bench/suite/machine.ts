import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

/** Where figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly tensorflow: string;
  readonly instructionSet: string;
}

export const describeMachine = async (): Promise<Machine> => {
  const { version } = await loadTensorFlow();
  const kernels = fusedKernels();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${process.arch}`,
    node: process.versions.node,
    tensorflow: version,
    instructionSet: kernels.available ? kernels.instructionSet : 'none',
  };
};

/** "AMD EPYC, 2 cores, AVX2". */
export const machineName = ({ cpu, cores, instructionSet }: Machine): string =>
  `${cpu}, ${cores} cores, ${instructionSet}`;

/** The same as the name of a folder: "amd-epyc-2-cores-avx2". */
export const machineSlug = (machine: Machine): string =>
  machineName(machine)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
