/** Where the vectors that a file has are collected. */
export interface VectorSink {
  /** The index of a token in the vocabulary; undefined if it is not there, or has a vector already. */
  readonly placeOf: (token: string) => number | undefined;
  readonly put: (place: number, vector: ArrayLike<number>) => void;
}
