/** The part of jstat that is used here; it comes without types. */
declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      /** Quantile of Student's t distribution. */
      readonly inv: (probability: number, degreesOfFreedom: number) => number;
      readonly cdf: (value: number, degreesOfFreedom: number) => number;
    };
    readonly noncentralt: {
      readonly cdf: (value: number, degreesOfFreedom: number, noncentrality: number) => number;
    };
  };
  export default jstat;
}
