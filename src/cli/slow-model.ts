import { slowModelWarning } from '../tensorflow/outdated-setup.ts';
import type { Terminal } from './command.ts';

/** Prints one line if a trained model will be computed more slowly than it could be, because of the set-up. */
export const warnOfSlowModel = ({ complain }: Pick<Terminal, 'complain'>): void => {
  const warning = slowModelWarning();
  if (warning !== undefined) complain(warning);
};
