import { join } from 'node:path';

/** The release of TensorFlow that Unroll is built against and tested with. */
export const tensorflowVersion = '2.21.0';

/** The folder in the cache where its libraries and headers are unpacked. */
export const tensorflowFolder = (cache: string, arch: string = process.arch): string =>
  join(cache, `tensorflow-${tensorflowVersion}-${process.platform}-${arch}`);

/** A wheel of the Python package index that carries TensorFlow's shared libraries and C headers. */
export interface Wheel {
  /** The project's name on the index. */
  readonly project: string;
  readonly file: string;
  readonly bytes: number;
  /** Hex SHA-256 of the file that was tested; an index or a mirror may have another one. */
  readonly sha256: string;
  /** The libraries' names inside the wheel's `tensorflow/` folder. */
  readonly libraries: readonly string[];
}

const linuxLibraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** Any Python version's wheel holds the same libraries; cp311 is one of them. Keys are `process.platform-process.arch`. */
const wheels: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    bytes: 273_829_956,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    libraries: linuxLibraries,
  },
  'linux-arm64': {
    project: 'tensorflow',
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl',
    bytes: 281_828_020,
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    libraries: linuxLibraries,
  },
  // Not tested on a machine: if it does not build or load, the fall-backs take over.
  'darwin-arm64': {
    project: 'tensorflow',
    file: 'tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl',
    bytes: 223_405_849,
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    libraries: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
  },
};

/** The wheel for a system, or undefined where TensorFlow publishes none that we can build against. */
export const wheelFor = (platform: string, arch: string): Wheel | undefined => wheels[`${platform}-${arch}`];
