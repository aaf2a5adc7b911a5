/** The limits of a server. */
export interface ServerLimits {
  /** Bytes of a body. */
  readonly mostBody: number;
  /** Seconds until a request is given up. */
  readonly timeout: number;
  /** Requests answered at the same time; further ones are refused at once. */
  readonly mostConcurrent: number;
}

/** Where a server answers and within which limits, as users write it. */
export interface Serving {
  /** The address to listen on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bytes of the largest body of a request. */
  readonly maxBody: number;
  /** Seconds that a request may take. */
  readonly timeout: number;
  /** Requests that are answered at the same time. */
  readonly maxConcurrency: number;
  /** Sequences of all requests that are predicted as one batch. */
  readonly maxBatch: number;
  /** Milliseconds that a sequence waits for others of its batch. */
  readonly batchWindow: number;
}

export const usualServing: Serving = {
  host: '127.0.0.1',
  port: 8080,
  maxBody: 10e6,
  timeout: 30,
  maxConcurrency: 200,
  maxBatch: 64,
  batchWindow: 0,
};

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** As it was sent: text of others. */
  readonly url: string;
  readonly status: number;
  readonly seconds: number;
  /** Why it was refused. */
  readonly message: string | undefined;
  /** An error that no request should cause. */
  readonly error: unknown;
}
