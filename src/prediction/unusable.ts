import { failure, type Result } from '../diagnostic/diagnostic.ts';
import type { OpenModel } from './open-model.ts';

/** What a model fails with whose files do not fit together in a way that only its use shows. Throws what the system refuses. */
export const unusable = ({ directory }: Pick<OpenModel, 'directory'>, error: unknown): Result<never> => {
  if ((error as NodeJS.ErrnoException | undefined)?.code !== undefined) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  return failure({
    code: 'damaged-record',
    severity: 'error',
    message: `The model in ${directory} cannot be used: ${reason.replace(/\.$/, '')}.`,
    expected: 'the folder of a model as its training wrote it, and the code that it was trained with',
    help: 'Copy the folder again, or train the run again with the option --force.',
  });
};
