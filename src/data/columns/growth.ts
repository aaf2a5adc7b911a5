/** A file of up to this size must not hold a command up, whatever it becomes when it is decompressed. */
const smallBytes = 1_000_000;

const beyondSmall = (size: number): number => Math.max(0, size - smallBytes);

/** The bytes that a compressed file may become. Real data becomes 3 to 20 times as large. */
export const mostBytesOf = (size: number): number => 16_000_000 + 50 * beyondSmall(size);

/** The lines that a compressed file may become. */
export const mostLinesOf = (size: number): number => 600_000 + 2 * beyondSmall(size);

/** The rows of a Parquet file, and its values: equal ones take next to no bytes. */
export const mostRowsOf = (size: number): number => 1_000_000 + 4 * beyondSmall(size);
export const mostValuesOf = (size: number): number => 3_000_000 + 8 * beyondSmall(size);

/** The sequences of a table, as many as one that is not compressed can have. */
export const mostSequencesOf = (size: number): number => 250_000 + beyondSmall(size);
