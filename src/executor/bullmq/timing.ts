/** A job whose worker has not renewed its lock for so long passes on. UNROLL_LOCK_MS is for tests, which cannot wait so long. */
export const lockMs = Number(process.env['UNROLL_LOCK_MS']) || 30_000;

/** How often workers look for jobs whose lock has expired. A lost run begins again within both times. */
export const checkIntervalMs = lockMs / 3;

/** A worker that could not renew a lock for so long kills its child: nobody else can have the job yet. */
export const fenceMs = 0.9 * lockMs;
