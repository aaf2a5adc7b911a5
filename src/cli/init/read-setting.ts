import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import { type Diagnostic, failure, type Result, success } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { requiredSections } from '../../registry/rows.ts';
import { commandLineRange } from '../usage.ts';

/** A setting of a new spec, as `--set` gives it. A data file is named from the folder of the spec. */
export const readSetting = (text: string, file: string): Result<readonly [path: string, value: unknown]> => {
  const wrong = (message: string, more: Partial<Diagnostic>): Result<never> =>
    failure({
      code: 'bad-argument',
      severity: 'error',
      message,
      at: commandLineRange(['init', '--set', text], text),
      ...more,
    });
  const equals = text.indexOf('=');
  const path = text.slice(0, equals).trim();
  if (equals < 1 || path === '') {
    return wrong('--set needs a path and a value.', {
      expected: 'path=value',
      help: 'Write for example --set dataset.file=data.csv.',
    });
  }
  const [section = '', ...rest] = path.split('.');
  if (!(requiredSections as readonly string[]).includes(section) || rest.length !== 1 || rest[0] === '') {
    const near = nearest(section, requiredSections);
    return wrong(`--set ${path} is not a parameter of the dataset, model or optimizer.`, {
      expected: requiredSections.map((one) => `${one}.PARAMETER`).join(', '),
      got: path,
      ...(near !== undefined && near !== section && { nearest: [near, ...rest].join('.') }),
      help: 'Write other values into the new file.',
    });
  }
  let value: unknown;
  try {
    value = parse(text.slice(equals + 1));
  } catch {
    return wrong(`The value of --set ${path} is not valid YAML.`, {
      expected: 'a value as in a spec',
      help: 'Put it in quotes.',
    });
  }
  return success([path, typeof value === 'string' && dataFile.test(path) ? fromSpec(value, file) : value]);
};

const dataFile = /^dataset\.(file|folder|\w+(File|Folder))$/;

/** A path that leads to a file from the working directory, from the folder of the spec. */
const fromSpec = (value: string, file: string): string => {
  const folder = dirname(file);
  return existsSync(value) && !isAbsolute(value)
    ? relative(resolve(folder), resolve(value)).split(sep).join('/')
    : value;
};
