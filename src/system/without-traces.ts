/** Calls a function that makes many errors whose traces nobody reads: a trace takes most of the time of an error. */
export const withoutTraces = <T>(action: () => T): T => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return action();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};
