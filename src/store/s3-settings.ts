import { join } from 'node:path';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { readRegularText } from '../system/files.ts';
import { homeFolder } from '../system/home-folder.ts';
import type { Credentials } from './s3-sign.ts';

export interface S3Settings {
  /** Of the server; the bucket is the first part of the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the usual variables of AWS, then the profile of `~/.aws`. */
export const s3Settings = (env: Environment): Result<S3Settings> => {
  const folder = join(homeFolder(env) ?? '/', '.aws');
  const name = env['AWS_PROFILE'] || 'default';
  const profile = {
    ...profileIn(
      env['AWS_CONFIG_FILE'] || join(folder, 'config'),
      name === 'default' ? name : `profile ${name}`,
    ),
    ...profileIn(env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials'), name),
  };
  const fromVariables = env['AWS_ACCESS_KEY_ID'] !== undefined && env['AWS_PROFILE'] === undefined;
  const of = (variable: string) =>
    (fromVariables ? env[variable] : profile[variable.toLowerCase()]) || undefined;
  const accessKeyId = of('AWS_ACCESS_KEY_ID');
  const secretAccessKey = of('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined)
    return failure({
      code: 'store',
      severity: 'error',
      message: `There are no credentials for the S3 store.`,
      expected: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials',
      got: fromVariables ? 'AWS_ACCESS_KEY_ID alone' : `no usable profile ${name}`,
      help: 'Set the two variables, or AWS_PROFILE. For a role: eval "$(aws configure export-credentials --format env)"',
    });
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || profile['region'] || 'us-east-1';
  const endpoint =
    env['AWS_ENDPOINT_URL_S3'] ||
    env['AWS_ENDPOINT_URL'] ||
    profile['endpoint_url'] ||
    `https://s3.${region}.amazonaws.com`;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    return failure({
      code: 'store',
      severity: 'error',
      message: 'AWS_ENDPOINT_URL is not the address of a server.',
      expected: 'an address such as https://s3.example.com',
      got: endpoint,
      help: 'Correct AWS_ENDPOINT_URL, or unset it to use Amazon S3.',
    });
  const sessionToken = of('AWS_SESSION_TOKEN');
  return success({ endpoint, region, credentials: { accessKeyId, secretAccessKey, sessionToken } });
};

/** The keys of a section of an INI file; none without the file or the section. */
const profileIn = (path: string, section: string): Readonly<Record<string, string>> => {
  let text: string;
  try {
    text = readRegularText(path);
  } catch {
    return {};
  }
  const found: Record<string, string> = {};
  let current = '';
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line) ?? [];
    const [, key, value] = /^([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (heading !== undefined) current = heading;
    else if (key !== undefined && value !== undefined && current === section)
      found[key.toLowerCase()] = value;
  }
  return found;
};
