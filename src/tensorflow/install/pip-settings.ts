import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularText } from '../../system/files.ts';
import { homeFolder } from '../../system/home-folder.ts';

/** The Python package index that pip's own settings name. */
export interface PipSettings {
  /** Base address of the simple API (PEP 503), ending in a slash. May contain a user name and password. */
  readonly indexUrl: string;
  /** A file of certificate authorities to trust besides Node's own. */
  readonly certificates: string | undefined;
}

const publicIndex = 'https://pypi.org/simple/';

/** pip's configuration files, the weakest first. */
const configurationFiles = (env: NodeJS.ProcessEnv): string[] => {
  if (env['PIP_CONFIG_FILE'] !== undefined) return [env['PIP_CONFIG_FILE']];
  const home = homeFolder(env);
  const config = env['XDG_CONFIG_HOME'] ?? (home === undefined ? undefined : join(home, '.config'));
  return [
    '/etc/pip.conf',
    '/etc/xdg/pip/pip.conf',
    ...(home === undefined
      ? []
      : [join(home, 'Library', 'Application Support', 'pip', 'pip.conf'), join(home, '.pip', 'pip.conf')]),
    ...(config === undefined ? [] : [join(config, 'pip', 'pip.conf')]),
    ...(env['APPDATA'] === undefined ? [] : [join(env['APPDATA'], 'pip', 'pip.ini')]),
    ...(env['VIRTUAL_ENV'] === undefined ? [] : [join(env['VIRTUAL_ENV'], 'pip.conf')]),
  ];
};

/** The keys of an INI file's `[global]`, `[install]` and `[download]` sections, later ones winning. */
const readKeys = (text: string): Map<string, string> => {
  const keys = new Map<string, string>();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[(.+)\]\s*$/.exec(line);
    if (header) section = header[1] ?? '';
    const entry = /^([\w-]+)\s*[=:]\s*(\S.*?)\s*$/.exec(line);
    if (entry && ['global', 'install', 'download'].includes(section))
      keys.set((entry[1] ?? '').replaceAll('_', '-'), entry[2] ?? '');
  }
  return keys;
};

/** The index that pip is configured to use: its environment variables, else its files, else the public index. */
export const readPipSettings = (env: NodeJS.ProcessEnv = process.env): PipSettings => {
  const keys = new Map<string, string>();
  for (const file of configurationFiles(env)) {
    if (!existsSync(file)) continue;
    try {
      for (const [key, value] of readKeys(readRegularText(file))) keys.set(key, value);
    } catch {
      // pip itself reports a configuration that cannot be read; the next one may still name an index.
    }
  }
  const indexUrl = env['PIP_INDEX_URL'] || keys.get('index-url') || publicIndex;
  return {
    indexUrl: indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`,
    certificates: env['PIP_CERT'] || keys.get('cert'),
  };
};
