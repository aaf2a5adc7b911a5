import { findAddon } from '../../src/tensorflow/find-addon.ts';

process.stdout.write(findAddon() ?? 'none');
