import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { diagnosticsToJson } from '../diagnostic/json.ts';
import { bounded } from '../diagnostic/most.ts';

/** What MLflow's servers call the kinds of errors. */
const errorCodes = {
  400: 'INVALID_PARAMETER_VALUE',
  404: 'ENDPOINT_NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'REQUEST_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
} as const;

type ErrorStatus = keyof typeof errorCodes;

/** An answer other than predictions. */
export interface ErrorAnswer {
  readonly status: ErrorStatus;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly diagnostics?: readonly Diagnostic[];
}

export const errorJson = ({ status, message, diagnostics }: ErrorAnswer): string =>
  JSON.stringify({
    error_code: errorCodes[status],
    message,
    ...(diagnostics && diagnosticsToJson(diagnostics)),
  });

/** This many of the messages of a body are in its sentence; all of them are in the list. */
const mostSentences = 5;

export const badBody = (diagnostics: readonly Diagnostic[]): ErrorAnswer => {
  const sentences = diagnostics
    .slice(0, mostSentences)
    .map(({ message, expected, help }) =>
      [
        bounded(message),
        ...(expected === undefined ? [] : [`Expected: ${bounded(expected)}.`]),
        ...(help === undefined ? [] : [bounded(help)]),
      ].join(' '),
    );
  const more = diagnostics.length - sentences.length;
  if (more > 0) sentences.push(`${more} more.`);
  return { status: 400, message: sentences.join('\n'), diagnostics };
};
