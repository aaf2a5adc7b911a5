import type { Diagnostic } from '../../diagnostic/diagnostic.ts';

/** Why the server did not do what was asked. */
export type ProblemKind =
  /** The request was never sent: a field would have been refused, or accepted and lost. */
  | 'invalid'
  /** No answer: nothing listens there, the name is unknown, the connection broke. */
  | 'unreachable'
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
  /** The caller gave up. */
  | 'stopped';

/** An expected failure: what happened in one sentence, and how to mend it. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly message: string;
  readonly help?: string;
  readonly status?: number;
  /** MLflow's `error_code`, such as `RESOURCE_DOES_NOT_EXIST`. */
  readonly errorCode?: string;
  /** From Retry-After. */
  readonly retryAfterMs?: number;
  /** The server may have done what was asked although no answer said so. */
  readonly unclear: boolean;
}

export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export const answer = <T>(value: T): Answer<T> => ({ ok: true, value });

export const problem = (
  kind: ProblemKind,
  message: string,
  more: Partial<Omit<Problem, 'kind' | 'message'>> = {},
): { readonly ok: false; readonly problem: Problem } => ({
  ok: false,
  problem: { kind, message, unclear: false, ...more },
});

/** Whether the same request may succeed later without anybody changing anything. */
export const isPassing = ({ kind }: Problem): boolean =>
  kind === 'unreachable' || kind === 'timeout' || kind === 'busy' || kind === 'server-error';

/** Whether no request at all will succeed before a person mends something. */
export const isBlocking = ({ kind }: Problem): boolean =>
  kind === 'unauthorised' ||
  kind === 'forbidden' ||
  kind === 'host-refused' ||
  kind === 'not-mlflow' ||
  kind === 'settings' ||
  kind === 'untrusted' ||
  kind === 'stopped';

export const problemDiagnostic = (
  { message, help }: Problem,
  severity: Diagnostic['severity'] = 'warning',
): Diagnostic => ({ code: 'tracking', severity, message, ...(help !== undefined && { help }) });
