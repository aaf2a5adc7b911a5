/** What a server takes at most. */
export interface ServerLimits {
  /** Bytes of a body. */
  readonly mostBody: number;
  /** Seconds until a request is given up. */
  readonly timeout: number;
  /** Requests that are answered at the same time; others are sent away at once. */
  readonly mostConcurrent: number;
}
