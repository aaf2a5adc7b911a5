import { failure, type Result } from '../diagnostic/diagnostic.ts';
import type { StoreAddress } from './address.ts';
import type { Backend } from './backend.ts';
export const s3Backend = (_where: StoreAddress, _env: object): Result<Backend> => {
  return failure({
    code: 'store',
    severity: 'error',
    message: 'A store in an S3 bucket is not possible yet.',
    help: 'Use a directory.',
  });
};
