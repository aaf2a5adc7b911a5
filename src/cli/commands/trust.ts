import { parseTrackingUri } from '../../mlflow/client/settings.ts';
import {
  allowInUserConfig,
  forbidInUserConfig,
  readUserConfig,
  userConfigPath,
} from '../../language/user-config.ts';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import type { Execute } from '../command.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { webOrigin } from '../../system/secrets.ts';

interface Options {
  readonly json?: boolean | undefined;
  readonly credentials?: boolean | undefined;
  readonly remove?: boolean | undefined;
}

/** `unroll trust [URI]` */
export const execute: Execute<Options> = async ([uri], options, terminal) => {
  const before = readUserConfig();
  if (!before.ok) return terminal.refuse(before.errors, options);
  if (uri === undefined && (options.remove || options.credentials))
    return terminal.refuse([noServer(options.remove ? '--remove' : '--credentials')], options);
  if (uri !== undefined) {
    const parsed = parseTrackingUri(uri);
    if (!parsed.ok) return terminal.refuse(parsed.errors, options);
    const origin = webOrigin(parsed.value.uri);
    if (options.remove) {
      const listed = [...new Set([...before.value.servers, ...before.value.credentials])];
      if (!listed.includes(origin)) return terminal.refuse([notListed(origin, listed)], options);
      forbidInUserConfig(origin);
    } else {
      allowInUserConfig('servers', origin);
      if (options.credentials) allowInUserConfig('credentials', origin);
    }
  }
  const config = readUserConfig();
  if (!config.ok) return terminal.refuse(config.errors, options);
  const { servers, credentials, variables } = config.value;
  if (options.json) {
    terminal.print(JSON.stringify({ path: userConfigPath(), ...config.value }, null, 2));
    return 0;
  }
  const listed = (entries: readonly string[]) => (entries.length > 0 ? entries.join(', ') : 'none');
  terminal.print(`In ${userConfigPath()}:`);
  terminal.print(
    `servers that a spec may send runs to: ${listed([...new Set([...servers, ...credentials])])}`,
  );
  terminal.print(`of these, servers that get the credentials of your environment: ${listed(credentials)}`);
  terminal.print(`environment variables that a spec may read: ${listed(variables)}`);
  return Promise.resolve(0);
};

const noServer = (option: string): Diagnostic => ({
  code: 'bad-argument',
  severity: 'error',
  message: `${option} needs the address of a server.`,
  expected: proposedCommand(['trust', option, 'https://mlflow.example.com']),
});

const notListed = (origin: string, listed: readonly string[]): Diagnostic => {
  const near = nearest(origin, listed);
  return {
    code: 'bad-argument',
    severity: 'error',
    message: `${origin} is not in your config, so nothing was removed.`,
    expected: listed.length > 0 ? listed.join(', ') : 'a server that you have allowed; there is none',
    got: origin,
    ...(near !== undefined && { nearest: near }),
  };
};
