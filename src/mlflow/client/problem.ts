import { failed, type Diagnostic, type Failure, type Result } from '../../diagnostic/diagnostic.ts';

/** Why the server did not do what was asked. */
export type ProblemKind =
  /** The request was never sent: a field would have been refused, or accepted and lost. */
  | 'invalid'
  /** No connection: nothing listens there, or the name is unknown. */
  | 'unreachable'
  /** The connection broke before the answer was complete. */
  | 'dropped'
  | 'timeout'
  /** 429, or 408. */
  | 'busy'
  /** 500 and above. */
  | 'server-error'
  /** 401: no credentials, wrong ones, or expired ones. */
  | 'unauthorised'
  /** 403: the credentials do not allow it. */
  | 'forbidden'
  /** 403 of the server's Host header check. */
  | 'host-refused'
  /** 404 with MLflow's error code: the experiment, run or model does not exist. */
  | 'not-found'
  /** 400 because the thing exists already. */
  | 'exists'
  /** 400 because the run or the experiment is deleted. */
  | 'deleted'
  /** 400 of a store that does not take a repeated point. */
  | 'duplicate'
  /** 413: a proxy's limit. */
  | 'too-large'
  /** Any other refusal by MLflow. */
  | 'refused'
  /** What answers is not MLflow. */
  | 'not-mlflow'
  /** The settings are wrong: nothing was sent. */
  | 'settings'
  /** Only a spec names the server, and the user has not allowed it: nothing was sent. */
  | 'untrusted'
  /** This machine's disk is full or fails, or its descriptors are used up. */
  | 'machine'
  /** A file of this machine that one run needs cannot be read or written. */
  | 'file'
  /** The caller gave up. */
  | 'stopped';

/** Why a request failed, and what the client needs to decide whether to send it again. */
export interface Problem extends Diagnostic {
  readonly kind: ProblemKind;
  readonly status?: number;
  /** MLflow's `error_code`, such as `RESOURCE_DOES_NOT_EXIST`. */
  readonly errorCode?: string;
  /** From Retry-After. */
  readonly retryAfterMs?: number;
  /** The server may have done the work although no answer confirmed it. */
  readonly unclear: boolean;
}

/** The outcome of a request; a failure has exactly one cause. */
export type Answer<T> = Result<T, readonly [Problem]>;

type ProblemDetails = Partial<Omit<Problem, keyof Diagnostic | 'kind'>> & Pick<Diagnostic, 'help'>;

export const createProblem = (kind: ProblemKind, message: string, details: ProblemDetails = {}): Problem => ({
  code: kind === 'untrusted' ? 'untrusted-server' : 'tracking',
  severity: 'error',
  kind,
  message,
  unclear: false,
  ...details,
});

export const failedBy = (cause: Problem): Failure<readonly [Problem]> => failed([cause]);

export const problem = (...given: Parameters<typeof createProblem>): Failure<readonly [Problem]> =>
  failedBy(createProblem(...given));

/** Whether the same request may succeed later without anybody changing anything. */
export const isPassing = ({ kind }: Problem): boolean =>
  kind === 'unreachable' ||
  kind === 'dropped' ||
  kind === 'timeout' ||
  kind === 'busy' ||
  kind === 'server-error' ||
  kind === 'machine';

/** Whether no request at all will succeed before the user fixes something. */
export const isBlocking = ({ kind }: Problem): boolean =>
  kind === 'unauthorised' ||
  kind === 'forbidden' ||
  kind === 'host-refused' ||
  kind === 'not-mlflow' ||
  kind === 'settings' ||
  kind === 'untrusted' ||
  kind === 'stopped';
