/**
 * Passwords, tokens and keys must never be written or sent, except as the credentials of a request to their own server.
 * Everything that is recorded, printed or sent as content goes through `masked`.
 */

import { decoded } from './decoded.ts';

const mask = '***';

/** Shorter values are words that occur anywhere; they are masked only where their name or place gives them away. */
const leastLength = 6;

/** Values that a variable with a secret's name may have without being one. */
const plainValues = /^(true|false|none|null|enabled|disabled|default|required|optional|\/.*)$/i;

const secretWords =
  '(?:passw(?:or)?d|passphrase|secret|credentials?|authorization|(?:api|access|secret|private|account|signing|encryption|auth)[-_]?key(?:[-_]?id)?' +
  '|(?:access|auth|api|bearer|refresh|session|personal|tracking|github|gitlab|hf|hub|npm)[-_]?token|(?<![a-z0-9_-])token)';

const secretSetting = new RegExp(`${secretWords}$`, 'i');
const secretVariable = /(passw(or)?d|passphrase|(^|_)pass|_pwd|secret|token|credentials?|auth|key|key_id)$/i;

/** Whether a key of a spec, the last part of a path, or an option is named as secrets are. */
export const isSecretName = (name: string): boolean => secretSetting.test(name);

/** Whether an environment variable is named as secrets are. */
export const isSecretVariable = (name: string): boolean => secretVariable.test(name);

const known = new Set<string>();
let pattern: RegExp | undefined;

/** From now on, this value is masked wherever it occurs. */
export const hideSecret = (value: string): void => {
  if (value.length < leastLength || plainValues.test(value)) return;
  for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) known.add(form);
  pattern = undefined;
};

// It begins where a run of letters, digits and marks does: looked for anywhere in a long one, it would take the square of its length.
const userInfo = /(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/)([^\s/?#'"]*)@/gi;

/** What a message proposes to fill in. */
const isPlaceholder = (info: string): boolean => /^(USER)?:PASSWORD$/.test(info);

/** Hides what an environment holds: variables named as secrets are, and passwords in addresses. */
export const hideEnvironment = (environment: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, value = ''] of Object.entries(environment)) {
    if (isSecretVariable(name)) hideSecret(value);
    for (const [, , info = ''] of value.matchAll(userInfo)) {
      const password = info.slice(info.indexOf(':') + 1);
      hideSecret(password);
      hideSecret(decoded(password) ?? '');
    }
  }
};

/**
 * An environment without the variables that are named as secrets are and start with `prefix`. Addresses in MLflow's
 * variables lose their user info; those of proxies keep it.
 */
export const withoutSecrets = (
  environment: Readonly<Record<string, string | undefined>>,
  prefix = '',
): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(environment)
      .filter(([name]) => !name.startsWith(prefix) || !isSecretVariable(name))
      .map(([name, value]) => [name, name.startsWith('MLFLOW_') ? value?.replace(userInfo, '$1') : value]),
  );

let environmentHidden = false;

const knownSecrets = (): RegExp | undefined => {
  if (!environmentHidden) {
    environmentHidden = true;
    hideEnvironment(process.env);
  }
  if (known.size === 0) return undefined;
  pattern ??= new RegExp(
    [...known]
      .sort((a, b) => b.length - a.length)
      .map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('|'),
    'g',
  );
  return pattern;
};

/** Whether a string contains a known secret. */
export const holdsSecret = (text: string): boolean => {
  const secrets = knownSecrets();
  return secrets !== undefined && text.search(secrets) >= 0;
};

const assignment = new RegExp(
  `(${secretWords}["']?\\s*[=:]\\s*)("(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s'",;&}\\])][^\\n'",;&}\\])]*)`,
  'gi',
);
const header = /\b(Bearer|Basic)\s+[\w+/=.~-]{6,}/g;
const query =
  /([?&](?:[\w-]*(?:token|secret|password|passwd|signature)|(?:api|access|private)[-_]?key|sig|auth)=)[^&\s'"#]+/gi;

/** A string without secrets: known values, user info of addresses, tokens in queries and headers, values named as secrets. */
export const masked = (text: string): string => {
  const secrets = knownSecrets();
  const hidden = secrets ? text.replace(secrets, mask) : text;
  return hidden
    .replace(userInfo, (whole: string, scheme: string, info: string) =>
      isPlaceholder(info) ? whole : scheme,
    )
    .replace(query, `$1${mask}`)
    .replace(assignment, `$1${mask}`)
    .replace(header, `$1 ${mask}`);
};

/** A word of a command line: the value of `--set path=value` is masked whole where the path is named as secrets are. */
export const maskedWord = (word: string): string => {
  const [, path] = /^((?:--[a-z-]+=)?[^=\s]+)=/.exec(word) ?? [];
  return path !== undefined && isSecretName(path) ? `${path}=${mask}` : masked(word);
};

/** For `JSON.stringify`: masks every string, and whole values whose key is named as secrets are. */
export const maskedEntry = (key: string, value: unknown): unknown =>
  typeof value !== 'string' ? value : isSecretName(key) ? mask : masked(value);

/** A copy of plain JSON without secrets. */
export const maskedJson = <T>(value: T): T => JSON.parse(JSON.stringify(value, maskedEntry)) as T;

const keptUserInfo = new Map<string, string>();

/** The user info of an address in a spec stays in memory, for requests to that origin only. */
export const keepUserInfo = (uri: string): void => {
  if (!URL.canParse(uri)) return;
  const { origin, username, password } = new URL(uri);
  if (!username) return;
  keptUserInfo.set(origin, `${username}:${password}`);
  hideEnvironment({ uri });
};

/** The address with the user info that was kept for its origin. */
export const withKeptUserInfo = (uri: string): string => {
  if (!URL.canParse(uri)) return uri;
  const { origin, username } = new URL(uri);
  const info = keptUserInfo.get(origin);
  return info === undefined || username ? uri : uri.replace('://', `://${info}@`);
};

/** The origin of an address, to which credentials belong; what is no address stays as it is. */
export const webOrigin = (uri: string): string => (URL.canParse(uri) ? new URL(uri).origin : uri);
