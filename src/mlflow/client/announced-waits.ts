import type { TransportOptions } from './transport.ts';

/** Prints why a command waits for a server, and for how long. */
export const announcedWaits = (
  print: (line: string) => void,
): Pick<TransportOptions, 'onRetry' | 'onSilence'> => ({
  onRetry: ({ message }, waitMs) => print(`${message} Trying again in ${(waitMs / 1000).toFixed(1)} s.`),
  onSilence: (uri, deadlineMs) =>
    print(
      `The MLflow server at ${uri} has not answered yet. Waiting for at most ${Math.ceil(deadlineMs / 1000)} s; Ctrl-C ends it.`,
    ),
});
