/** What is shown when the program itself is at fault: one sentence, and the trace only for those who ask. */
export const renderBug = (error: unknown, version: string): string => {
  const detail = error instanceof Error ? error : new Error(String(error));
  const trace = process.env['UNROLL_DEBUG'] ? `${detail.stack ?? ''}\n` : '';
  return (
    `unroll ${version} hit an unexpected error: ${detail.message}\n` +
    `This is a bug in Unroll. Recorded runs are not affected. UNROLL_DEBUG=1 shows where it happened.\n${trace}`
  );
};
