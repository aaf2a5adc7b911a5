const untrusted = 'its certificate is not trusted (name your authority in NODE_EXTRA_CA_CERTS)';

const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name cannot be resolved (no network?)',
  EAI_AGAIN: 'its name cannot be resolved (no network?)',
  ECONNREFUSED: 'it refuses the connection',
  ECONNRESET: 'it broke the connection',
  ENETUNREACH: 'the network is unreachable',
  EHOSTUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'it stopped sending',
  UND_ERR_SOCKET: 'it broke the connection',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
};

/** Why a request failed, as the end of a sentence about the server. */
export const httpCause = (error: unknown): string => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code, message } = at as NodeJS.ErrnoException;
    if (code !== undefined && causes[code]) return causes[code];
    if (at instanceof AggregateError && at.errors.length > 0) return httpCause(at.errors[0]);
    if (at.cause === undefined) return message || (code ?? at.name);
  }
  return String(error);
};
