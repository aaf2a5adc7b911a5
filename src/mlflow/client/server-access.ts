import type { UserConfig } from '../../language/user-config.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { type Answer, problem } from './problem.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { webOrigin } from '../../system/secrets.ts';

/** Who named the address of a server. */
export type NamedBy = 'command' | 'spec' | 'environment';

/** What a server may get. */
export interface ServerAccess {
  /** Whether requests may carry the credentials of the environment and of `~/.mlflow/credentials`. */
  readonly credentials: boolean;
}

export interface AccessRequest {
  /** Without user info. */
  readonly uri: string;
  readonly namedBy: NamedBy;
  /** MLFLOW_TRACKING_URI, without user info. */
  readonly environmentUri: string | undefined;
  readonly config: UserConfig;
  /** The addresses after `--allow-server`. */
  readonly allowServers: readonly string[];
}

/** Whether an address stays on this machine. */
export const isLoopback = (uri: string): boolean => {
  if (!URL.canParse(uri)) return false;
  const { hostname } = new URL(uri);
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
};

/**
 * Credentials belong to the origin of MLFLOW_TRACKING_URI, and to those that the user has added. A spec is written by
 * anybody: a server that only a spec names must be allowed by the user before anything is sent there.
 */
export const serverAccess = ({
  uri,
  namedBy,
  environmentUri,
  config,
  allowServers,
}: AccessRequest): Answer<ServerAccess> => {
  const origin = webOrigin(uri);
  const own = environmentUri !== undefined && webOrigin(environmentUri) === origin;
  if (own || config.credentials.includes(origin)) return success({ credentials: true });
  // Without MLFLOW_TRACKING_URI, the command line is what the credentials were set for.
  if (namedBy !== 'spec') return success({ credentials: environmentUri === undefined });
  const allowed =
    isLoopback(uri) ||
    config.servers.includes(origin) ||
    allowServers.some((one) => webOrigin(one) === origin);
  if (allowed) return success({ credentials: false });
  return problem('untrusted', `The spec sends its runs to ${origin}, which you have not allowed.`, {
    help:
      `If you trust this server, allow it for good with "${proposedCommand(['trust', origin])}", or for one command with --allow-server ${origin} ` +
      '(from a program: allowServers). With --no-mlflow nothing is sent.',
  });
};
