import { setUpCommand } from '../../tensorflow/install/command.ts';
import type { Execute } from '../command.ts';

/** `unroll setup` */
export const execute: Execute = async () => ((await setUpCommand()) === 0 ? 0 : 1);
