import { readRegularText } from '../../system/files.ts';
import { join } from 'node:path';
import { homeFolder } from '../../system/home-folder.ts';
import { hideSecret } from '../../system/secrets.ts';

/**
 * How a request proves who asks. As in MLflow's own clients a user name with password wins over a token.
 */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** The keys of the section `[mlflow]` of an INI text; other sections, comments and odd lines are passed over. */
const parseCredentialsFile = (text: string): Readonly<Record<string, string>> => {
  const values: Record<string, string> = {};
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\s*\[([^\]]*)\]\s*$/.exec(line);
    if (heading) section = heading[1] ?? '';
    const pair = /^\s*([^=:#;\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (pair && section === 'mlflow') values[(pair[1] ?? '').toLowerCase()] = pair[2] ?? '';
  }
  return values;
};

/** The text of `~/.mlflow/credentials`, or nothing. */
export const readCredentialsFile = (home = homeFolder()): string | undefined => {
  if (home === undefined) return undefined;
  try {
    return readRegularText(join(home, '.mlflow', 'credentials'));
  } catch {
    return undefined;
  }
};

/** Each of user name and password comes from the environment, else from the file; the token only from the environment. */
export const findCredentials = (
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): Credentials => {
  const stored = parseCredentialsFile(file ?? '');
  const username = env['MLFLOW_TRACKING_USERNAME'] ?? stored['mlflow_tracking_username'];
  const password = env['MLFLOW_TRACKING_PASSWORD'] ?? stored['mlflow_tracking_password'];
  const token = env['MLFLOW_TRACKING_TOKEN'];
  for (const secret of [password, token]) if (secret) hideSecret(secret);
  if (username && password) return { kind: 'basic', username, password };
  return token ? { kind: 'bearer', token } : { kind: 'none' };
};

/** The value of the Authorization header, if any. */
export const authorization = (credentials: Credentials): string | undefined => {
  switch (credentials.kind) {
    case 'none':
      return undefined;
    case 'basic':
      return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
    case 'bearer':
      return `Bearer ${credentials.token}`;
  }
};
