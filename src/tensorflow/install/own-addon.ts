import { join } from 'node:path';
import { packageFolder } from './native-parts.ts';

/** The path at which tfjs-node itself expects its addon. */
export const ownAddonPath = (): string =>
  join(packageFolder('@tensorflow/tfjs-node'), 'lib', 'napi-v8', 'tfjs_binding.node');
