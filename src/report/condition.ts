import { isSeq, parseDocument, type Node } from 'yaml';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { runStates } from '../record/run-state.ts';
import { shellWord } from '../system/proposed-command.ts';
import type { Json } from '../system/json.ts';
import { formatValue } from '../terminal/format.ts';

/** The options that take a condition. */
export type ConditionOption = '--only' | '--filter';

const operators = ['=', '!=', '>=', '<=', '>', '<'] as const;
type Operator = (typeof operators)[number];

/** What other languages write, and what it means here. */
const otherOperators: Readonly<Record<string, Operator>> = {
  '==': '=',
  '===': '=',
  ':': '=',
  ':=': '=',
  is: '=',
  in: '=',
  '<>': '!=',
  '!==': '!=',
  '=!': '!=',
  '/=': '!=',
  'is not': '!=',
  'not in': '!=',
  '=>': '>=',
  '=<': '<=',
};

/** Also accepted, because it can mean nothing else. */
const equalSigns: readonly string[] = ['=', '=='];

/** A value as it is written, and as YAML reads it. */
interface WrittenValue {
  readonly text: string;
  readonly value: Json;
}

/** One comparison of a setting. */
export interface Condition {
  readonly path: string;
  readonly operator: Operator;
  /** More than one are alternatives: `model.hiddenSize=64,128`. */
  readonly values: readonly WrittenValue[];
}

/** The values that the runs have, by setting. */
export type KnownSettings = ReadonlyMap<string, readonly Json[]>;

/** Reads a condition such as `model.hiddenSize>=64`; the last part of a path is enough where only one path ends so. */
export const readCondition = (
  written: string,
  known: KnownSettings,
  option: ConditionOption | undefined,
): Result<Condition> => {
  const wrong = (message: string, more: Omit<Partial<Diagnostic>, 'message'> = {}): Result<never> =>
    failure({ code: 'bad-argument', severity: 'error', message, ...more });
  const propose = (...conditions: readonly string[]): string =>
    `Write ${conditions.map((one) => (option ? `${option} ${shellWord(one)}` : JSON.stringify(one))).join(option ? ' ' : ', ')}`;
  const text = written.trim();

  const several = severalConditions(text, known);
  if (several) {
    return wrong(`"${text}" is more than one condition.`, {
      expected: 'one comparison in each condition',
      help:
        several.by === 'and'
          ? `${propose(...several.conditions)}; a run must fit all of them.`
          : `Separate the alternatives of one setting with commas. ${propose('seed=1,2')}, for example.`,
    });
  }
  const parts = splitCondition(text);
  if (!parts) return wrong(`"${text}" is not a condition.`, withoutOperator(text, known, propose));
  const { name, sign, value } = parts;

  const path = pathOf(name, known);
  if (typeof path !== 'string') {
    const turned = pathOf(value, known);
    if (typeof turned === 'string' && sign in flipped) {
      return wrong(`The setting of a condition comes first.`, {
        expected: 'a setting, an operator and a value',
        help: `${propose(`${value}${flipped[sign] ?? sign}${name}`)}.`,
      });
    }
    return wrong(...unknownSetting({ name, sign, value }, { known, endings: path, propose }));
  }
  const operator = operators.find((one) => one === sign || (one === '=' && equalSigns.includes(sign)));
  if (!operator) {
    const meant = otherOperators[sign];
    return wrong(`A condition has no operator "${sign}".`, {
      expected: `one of ${operators.join(' ')}`,
      ...(meant && { help: `${propose(`${name}${meant}${value}`)}.` }),
    });
  }

  const ofRuns = known.get(path) ?? [];
  const numeric = ofRuns.length > 0 && ofRuns.every((one) => typeof one === 'number');
  const expected = path === 'state' ? `one of ${runStates.join(', ')}` : listed(ofRuns);
  if (value === '') return wrong(`"${text}" has no value.`, { expected });
  const range = numeric ? rangeIn(value) : undefined;
  if (range) {
    return wrong(`A condition has no ranges.`, {
      expected: 'one bound in each condition',
      help: `${propose(`${name}>=${range[0]}`, `${name}<=${range[1]}`)}.`,
    });
  }
  const values = readValues(value, ofRuns);
  if (!values) {
    return wrong(`The value of "${text}" cannot be read.`, {
      expected: `a value, or values with commas between them, such as ${expected}`,
      help: 'Put quotes around a value with brackets, braces or quotes in it.',
    });
  }
  if (operator !== '=' && operator !== '!=') {
    if (!numeric) return wrong(`${path} is not a number, so ${operator} cannot compare it.`, { expected });
    if (values.length === 1 && typeof values[0]?.value === 'number')
      return success({ path, operator, values });
    return wrong(`${operator} compares with one number.`, { expected: 'one number', got: `"${value}"` });
  }
  if (path === 'state') {
    const unknown = values.find((one) => !(runStates as readonly string[]).includes(one.text));
    if (!unknown) return success({ path, operator, values });
    const near = nearest(unknown.text, runStates);
    return wrong(`There is no state "${unknown.text}".`, { expected, ...(near && { nearest: near }) });
  }
  const other = numeric && values.find((one) => typeof one.value !== 'number');
  if (other) return wrong(`${path} is a number.`, { expected, got: `"${other.text}"` });
  if (operator === '=' && !values.some((one) => ofRuns.some((run) => isEqual(run, one)))) {
    const near = nearest(values[0]?.text ?? '', ofRuns.map(String));
    return wrong(`No run has ${values.map((one) => `${path} ${one.text}`).join(' or ')}.`, {
      expected,
      ...(near && { nearest: near }),
    });
  }
  return success({ path, operator, values });
};

/** Whether a setting of a run fits a condition. */
export const fits = (value: Json | undefined, { operator, values }: Condition): boolean => {
  const equal = value !== undefined && values.some((one) => isEqual(value, one));
  const number = typeof value === 'number' ? value : NaN;
  const bound = Number(values[0]?.value ?? NaN);
  switch (operator) {
    case '=':
      return equal;
    case '!=':
      return !equal;
    case '<':
      return number < bound;
    case '<=':
      return number <= bound;
    case '>':
      return number > bound;
    case '>=':
      return number >= bound;
  }
};

/** Numbers by value, so that 1e-3 finds 0.001; a name that looks like a number by its letters. */
const isEqual = (value: Json, { value: written, text }: WrittenValue): boolean =>
  value === text || JSON.stringify(value) === JSON.stringify(written);

const sign = /\s*(===|!==|==|!=|<>|>=|<=|=>|=<|=!|:=|\/=|=|<|>|:)\s*|\s+(not in|is not|in|is)\s+/;

const flipped: Readonly<Record<string, Operator>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '=': '=',
  '==': '=',
};

const splitCondition = (text: string) => {
  const found = sign.exec(text);
  if (!found || found.index === 0) return undefined;
  return {
    name: text.slice(0, found.index),
    sign: found[1] ?? found[2] ?? '',
    value: text.slice(found.index + found[0].length),
  };
};

/** Conditions that are joined by a word or a comma, or a value between two bounds. */
const severalConditions = (
  text: string,
  known: KnownSettings,
): { readonly by: 'and' | 'or'; readonly conditions: readonly string[] } | undefined => {
  const either = text.split(/\s+or\s+|\s*\|\|?\s*/i);
  if (either.length > 1) return { by: 'or', conditions: either };
  const both = text.split(/\s+and\s+|\s*&&?\s*|\s*;\s*/i).filter((one) => one !== '');
  if (both.length > 1) return { by: 'and', conditions: both };
  // A comma separates values, too: only what begins with a setting is another condition.
  const listed = text.split(/\s*,\s*/);
  const starts = listed.map((one) => {
    const name = splitCondition(one)?.name;
    return name !== undefined && pathOf(name, known) !== undefined;
  });
  if (starts[0] && starts.slice(1).some(Boolean)) {
    const conditions: string[] = [];
    for (const [at, one] of listed.entries()) {
      if (starts[at]) conditions.push(one);
      else conditions.push(`${conditions.pop() ?? ''},${one}`);
    }
    return { by: 'and', conditions };
  }
  const [, low, first = '', name, second = '', high] =
    /^(\S+?)\s*([<>]=?)\s*([^<>=\s]+)\s*([<>]=?)\s*([^<>=\s]+)$/.exec(text) ?? [];
  if (name === undefined || typeof pathOf(name, known) !== 'string') return undefined;
  return { by: 'and', conditions: [`${name}${flipped[first] ?? first}${low}`, `${name}${second}${high}`] };
};

/** The whole path of a setting; the candidates if several paths end so; undefined if none does. */
const pathOf = (name: string, known: KnownSettings): string | readonly string[] | undefined => {
  if (known.has(name)) return name;
  const endings = [...known.keys()].filter((path) => path.endsWith(`.${name}`));
  return endings.length === 1 ? endings[0] : endings.length > 1 ? endings : undefined;
};

/** Reads the name of a setting that runs have; the last part of a path is enough where only one path ends so. */
export const readSetting = (name: string, known: KnownSettings): Result<string> => {
  const path = pathOf(name.trim(), known);
  if (typeof path === 'string') return success(path);
  const paths = [...known.keys()];
  const near = nearest(name, [...paths, ...paths.map((one) => one.slice(one.lastIndexOf('.') + 1))]);
  return failure({
    code: 'bad-argument',
    severity: 'error',
    message: path ? `More than one setting is called "${name}".` : `No run has a setting "${name}".`,
    expected: path ? `one of ${path.join(', ')}` : 'the path of a setting, or `seed`',
    ...(near !== undefined && !path && { nearest: near, help: `Did you mean ${near}?` }),
  });
};

const withoutOperator = (
  text: string,
  known: KnownSettings,
  propose: (...conditions: readonly string[]) => string,
): Partial<Diagnostic> => {
  const expected = `a setting, one of ${operators.join(' ')}, and a value, such as seed=1`;
  const [name = '', ...rest] = text.split(/\s+/);
  const path = pathOf(name, known);
  if (typeof path !== 'string') {
    const [having, ...others] = [...known].filter(([, values]) => values.map(String).includes(text));
    return having && others.length === 0
      ? { expected, help: `${propose(`${having[0]}=${text}`)}.` }
      : { expected };
  }
  if (rest.length > 0) return { expected, help: `${propose(`${name}=${rest.join(' ')}`)}.` };
  const [value] = known.get(path) ?? [];
  const example = propose(`${name}${typeof value === 'number' ? '>=' : '='}${formatValue(value)}`);
  return { expected, help: `${example}. Without the quotes, a shell takes < and > for itself.` };
};

const unknownSetting = (
  { name, sign, value }: { readonly name: string; readonly sign: string; readonly value: string },
  {
    known,
    endings,
    propose,
  }: {
    readonly known: KnownSettings;
    readonly endings: readonly string[] | undefined;
    readonly propose: (...conditions: readonly string[]) => string;
  },
): [string, Partial<Diagnostic>] => {
  if (endings) {
    const meant = endings.filter((path) => known.get(path)?.map(String).includes(value));
    return [
      `More than one setting is called "${name}".`,
      {
        expected: `one of ${endings.join(', ')}`,
        ...(meant.length === 1 && { help: `${propose(`${meant[0] ?? ''}${sign}${value}`)}.` }),
      },
    ];
  }
  const message = `No run has a setting "${name}".`;
  const expected = 'the path of a setting, `seed` or `state`';
  if (known.has(`${name}.name`))
    return [message, { expected, help: `${propose(`${name}.name${sign}${value}`)}.` }];
  const paths = [...known.keys()];
  const near = nearest(name, [...paths, ...paths.map((one) => one.slice(one.lastIndexOf('.') + 1))]);
  const help = `${propose(`${near ?? ''}${sign}${value}`)}.`;
  return [message, { expected, ...(near !== undefined && { nearest: near, help }) }];
};

/**
 * Values as a list in a spec is written, with or without its brackets; of a setting that is a list, each value is one.
 * Undefined if that is not YAML.
 */
const readValues = (text: string, ofRuns: readonly Json[]): readonly WrittenValue[] | undefined => {
  const { contents, errors } = parseDocument(`[${text}]`, { stringKeys: true });
  if (errors.length > 0 || !isSeq<Node>(contents)) return undefined;
  const items = contents.items.map(writtenValue);
  const [only] = contents.items;
  const inBrackets = items.length === 1 && isSeq<Node>(only) && !ofRuns.some(Array.isArray);
  return inBrackets ? only.items.map(writtenValue) : items;
};

const writtenValue = (node: Node): WrittenValue => {
  const value = (node.toJSON() ?? null) as Json;
  const text = 'source' in node && typeof node.source === 'string' ? node.source : JSON.stringify(value);
  return { text, value };
};

const number = String.raw`[-+]?\d*\.?\d+(?:e[-+]?\d+)?`;
const range = new RegExp(String.raw`^\[?\s*(${number})\s*(?:\.{2,3}|:|-|–|to)\s*(${number})\s*\]?$`, 'i');

const rangeIn = (text: string): readonly [string, string] | undefined => {
  const [, low, high] = range.exec(text) ?? [];
  return low === undefined || high === undefined ? undefined : [low, high];
};

const shownValues = 8;

const listed = (values: readonly Json[]): string => {
  const texts = [...new Set(values.map((one) => formatValue(one)))];
  return texts.slice(0, shownValues).join(', ') + (texts.length > shownValues ? ', ...' : '');
};
