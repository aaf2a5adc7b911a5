import { diskTrouble } from '../system/files.ts';

/** What is shown when the program itself is at fault: one sentence, and the trace only for those who ask. */
export const renderBug = (error: unknown, version: string): string => {
  const detail = error instanceof Error ? error : new Error(String(error));
  const trouble = diskTrouble(error);
  if (trouble !== undefined) {
    const { path } = error as NodeJS.ErrnoException;
    return `unroll stopped because ${trouble}${path === undefined ? '' : ` (${path})`}. Recorded data is kept. Fix that and run the command again.\n`;
  }
  const trace = process.env['UNROLL_DEBUG'] ? `${detail.stack ?? ''}\n` : '';
  return (
    `unroll ${version} met an error that it did not foresee: ${detail.message}\n` +
    `This is a bug in Unroll. Recorded runs are not affected. UNROLL_DEBUG=1 shows where it happened.\n${trace}`
  );
};
