/** A job passes on if its worker has not renewed its lock for this long. UNROLL_LOCK_MS is for tests, which cannot wait as long. */
export const lockMs = Number(process.env['UNROLL_LOCK_MS']) || 30_000;

/** How often workers look for jobs whose lock has expired. A lost run begins again within both times. */
export const checkIntervalMs = lockMs / 3;

/** A worker that could not renew a lock for this long kills its child, before another worker can have the job. */
export const fenceMs = 0.9 * lockMs;
