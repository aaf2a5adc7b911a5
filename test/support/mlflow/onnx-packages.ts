import { existsSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findMlflow, type MlflowProgram } from '../../../src/mlflow/server/find-mlflow.ts';
import { cacheFolder } from '../../../src/system/cache-folder.ts';
import { runCommand } from '../../../src/system/command.ts';

/** What the pinned MLflow lacks to load a model with model.onnx. */
const packages = ['onnx==1.23.2', 'onnxruntime==1.32.0', 'ml_dtypes==0.6.0', 'flatbuffers==25.12.19'];

export interface MlflowWithOnnx {
  readonly command: MlflowProgram['command'];
  readonly env: NodeJS.ProcessEnv;
}

/** The pinned MLflow with these packages, which are installed once into the user's cache folder. */
export const mlflowWithOnnx = async (): Promise<MlflowWithOnnx> => {
  const found = await findMlflow({ own: true, print: () => undefined });
  if (!found.ok) throw new Error(found.errors[0].message);
  const { command, binaries = '' } = found.value;
  const folder = join(cacheFolder(), `mlflow-${packages.join('-')}`.replace(/=+/g, '-'));
  if (!existsSync(folder)) {
    const made = `${folder}.${process.pid}`;
    rmSync(made, { recursive: true, force: true });
    const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', made, ...packages];
    const { code, output } = await runCommand(command[0], words);
    if (code !== 0) throw new Error(output);
    renameSync(made, folder);
  }
  // `mlflow models serve` calls programs by their names.
  const path = [binaries, process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, PYTHONPATH: folder, MLFLOW_DISABLE_TELEMETRY: 'true' };
  return { command, env };
};
