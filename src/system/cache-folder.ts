import { join, resolve } from 'node:path';
import { homeFolder, NoHome } from './home-folder.ts';

/**
 * The per-user folder for what is large and can be fetched or built again: `UNROLL_CACHE`, or the system's usual place.
 * Throws `NoHome` where there is neither.
 * Layout:
 *
 *     downloads/                     a wheel while it arrives (`.part`)
 *     tensorflow-<version>-<system>/ lib/, include/, notices of the libraries' authors
 *     native/<part>-<key>/           a compiled shared library
 *     installations/<key>.json       what the set-up decided for one folder of Unroll
 *     datasets/digests/<key>.txt     the SHA-256 of a data file, by path, size and time of change
 *     datasets/packed/<key>/         a data file in the form that training reads
 *     calibration/<key>.json         the fastest kernels and threads, by processor and libraries
 *     mlflow-<version>/              a virtual environment with MLflow
 *     models/<id>/                   a registered model of an MLflow server
 */
export const cacheFolder = (
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string => {
  if (env['UNROLL_CACHE']) return resolve(env['UNROLL_CACHE']);
  const inHome = (...names: readonly string[]): string => {
    const home = homeFolder();
    if (home === undefined) throw new NoHome('the cache', 'UNROLL_CACHE');
    return join(home, ...names);
  };
  if (platform === 'darwin') return inHome('Library', 'Caches', 'unroll');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? inHome('AppData', 'Local'), 'unroll');
  return join(env['XDG_CACHE_HOME'] || inHome('.cache'), 'unroll');
};
