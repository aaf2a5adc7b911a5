/** The limits of a server. */
export interface ServerLimits {
  /** Bytes of a body. */
  readonly mostBody: number;
  /** Seconds until a request is given up. */
  readonly timeout: number;
  /** Requests answered at the same time; further ones are refused at once. */
  readonly mostConcurrent: number;
}
