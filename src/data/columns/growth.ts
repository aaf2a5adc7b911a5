/** A file of up to this size must not hold a command up, whatever it becomes when it is decompressed. */
const smallBytes = 1_000_000;

const beyondSmall = (size: number): number => Math.max(0, size - smallBytes);

/** The bytes that a compressed file may become. Real data becomes 3 to 20 times as large. */
export const mostBytesOf = (size: number): number => 16_000_000 + 50 * beyondSmall(size);

/** The lines that a compressed file may become: a small one no more than it could have uncompressed. */
export const mostLinesOf = (size: number): number => smallBytes + 10 * beyondSmall(size);

/** The values that a Parquet file may have: equal ones take next to no bytes. */
export const mostValuesOf = (size: number): number => 3_000_000 + 8 * beyondSmall(size);
