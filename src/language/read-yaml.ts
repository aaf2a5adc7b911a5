import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { withoutTraces } from '../system/without-traces.ts';
import { numberWithComma } from './describe.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import type { Located, LocatedEntry, YamlPart } from './located.ts';
import { describeYamlError } from './yaml-errors.ts';

/** Most nodes that aliases may add to a spec, and how deep a spec may nest. */
const maxAliasedNodes = 10_000;
const maxDepth = 64;

const coreTag = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

/**
 * In flow style, `{ uri: ${NAME} }`, the braces of a variable would end the text. For the time of parsing they are
 * two characters of the private use area; each is one UTF-16 unit as the brace is, so all places stay as they are.
 */
const hideVariables = (text: string): string =>
  text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*(?::-[^{}\r\n]{0,4096})?)\}/g, '$\uE000$1\uE001');
const showVariables = (text: string): string => (text.includes('\uE001') ? withBraces(text) : text);
const withBraces = (text: string): string => text.replace(/\$\uE000/g, '${').replace(/\uE001/g, '}');

/** What may still be read, where one spec is in several files. */
export interface ReadingBudget {
  work: number;
}

/** The most that a spec may hold, by what the parser needs for it: it takes a second and 200 MB for so much. */
export const mostWork = 350_000;

/** Reads one YAML 1.2 document (core schema) with the place of every value, and takes its work from the budget. */
export const readYaml = (
  { source, text, shift }: YamlPart,
  budget: ReadingBudget = { work: mostWork },
): Result<Located> => {
  const range = (start: number, end: number) => ({ source, start: start + shift, end: end + shift });
  const tooMuch = tooMuchToParse(text, range, budget);
  if (tooMuch) return failure(tooMuch);
  let document: Document.Parsed;
  try {
    document = withoutTraces(() =>
      parseDocument(hideVariables(text), {
        version: '1.2',
        merge: false,
        prettyErrors: false,
        // The walk below finds them, and knows where the first one is.
        uniqueKeys: false,
      }),
    );
  } catch (error) {
    if (error instanceof RangeError) return failure(tooDeep(range(0, 1)));
    throw error;
  }
  // Once the syntax is broken, what follows is guesswork: only the first mistake is shown.
  const [syntax] = document.errors;
  if (syntax) {
    const opened = openedBefore(document, syntax.pos[0]);
    return failure(describeYamlError(syntax, { source, text, shift }, opened));
  }

  if (document.directives.yaml.version !== '1.2') {
    return failure({
      code: 'yaml-syntax',
      severity: 'error',
      message: 'A spec is YAML 1.2, in which 1e-3 is a number and yes is a string.',
      at: range(0, Math.max(1, text.indexOf('\n'))),
      expected: 'YAML 1.2',
      got: `YAML ${document.directives.yaml.version}`,
      help: 'Remove the line that begins with %YAML.',
    });
  }

  const errors: Diagnostic[] = [];
  const walk = createWalk(range, errors);
  const located = document.contents
    ? walk(document.contents, 0)
    : { kind: 'scalar' as const, value: null, at: range(0, 0) };
  return errors.length ? failed(errors) : success(located);
};

/** Where the innermost bracket or quote begins that is still open at an offset. */
const openedBefore = (document: Document.Parsed, offset: number): number | undefined => {
  let opened: number | undefined;
  visit(document, (_, node) => {
    if (!isCollection(node) && !isScalar(node)) return;
    const [start = 0, end = 0] = node.range ?? [];
    const bracket = isCollection(node) ? node.flow === true : node.type?.startsWith('QUOTE') === true;
    if (bracket && start < offset && end >= offset) opened = start;
  });
  return opened;
};

/** The cost of each: a line or a colon is cheap, a character that may begin a value is not. */
const workFor: Readonly<Record<string, number>> = { '\n': 1, ':': 1, ']': 0, '}': 0 };
const workForOthers = 5;

/** Brackets that are open at once and are surely no part of a string. */
const mostBrackets = 1000;

/** What would keep the parser busy for long, found at a glance: quotes and comments are treated as the rest. */
const tooMuchToParse = (text: string, range: RangeOf, budget: ReadingBudget): Diagnostic | undefined => {
  let open = 0;
  for (const { 0: found, index } of text.matchAll(/[\n,[\]{}"'*&!|>]|[:?-](?=\s)/g)) {
    if (found === '[' || found === '{') open++;
    const closesNothing = (found === ']' || found === '}') && --open < 0;
    if (closesNothing) open = 0;
    if (open > mostBrackets) return tooDeep(range(index, index + 1));
    budget.work -= closesNothing ? workForOthers : (workFor[found] ?? workForOthers);
    if (budget.work >= 0) continue;
    return {
      code: 'file-too-large',
      severity: 'error',
      message: 'The spec has too many values.',
      at: range(index, index + 1),
      expected: `at most ${(mostWork / workForOthers).toLocaleString('en')} values, those of extended specs included`,
      got: 'more',
      help: 'Give ranges such as { log: [1e-4, 1e-2], steps: 9 } in place of long lists of values.',
    };
  }
  return undefined;
};

type RangeOf = (start: number, end: number) => NonNullable<Diagnostic['at']>;

const tooDeep = (at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'yaml-syntax',
  severity: 'error',
  message: 'The values are nested too deep.',
  at,
  expected: `at most ${maxDepth} levels`,
  got: 'more levels',
  help: 'A spec needs about five levels; look for a bracket that is never closed.',
});

interface NumberWithComma {
  readonly written: string;
  readonly start: number;
  readonly end: number;
  readonly help: string;
}

/** In `{ dropout: 0,5 }` the comma ends the value, and 5 is a key. */
const commaInNumber = (pair: Pair, before: Pair | undefined): NumberWithComma | undefined => {
  const [start, end] = [before?.value, pair.key];
  if (!isScalar(before?.key) || !isScalar(start) || !isScalar(end) || pair.value !== null) return undefined;
  if (typeof start.value !== 'number' || typeof end.value !== 'number') return undefined;
  const name = String(before.key.value);
  const written = `${start.source ?? ''},${end.source ?? ''}`;
  const number = numberWithComma(written);
  return {
    written,
    start: start.range?.[0] ?? 0,
    end: end.range?.[1] ?? 0,
    help:
      number === undefined
        ? `Write \`${name}: ${start.source ?? ''}\`; to try several, list them under sweep.axes: [${written.replace(',', ', ')}].`
        : `A comma ends a value here. Write \`${name}: ${number}\`.`,
  };
};

const createWalk = (range: RangeOf, errors: Diagnostic[]) => {
  const open = new Set<Node>();
  const anchors = new Map<string, Node>();
  let aliased = 0;
  /** The aliases that lead to the node, outermost first. */
  const aliases: Node[] = [];
  let exhausted = false;
  const at = (node: Node) => range(node.range?.[0] ?? 0, node.range?.[1] ?? 0);
  const nothing = (node: Node): Located => ({ kind: 'scalar', value: null, at: at(node) });
  const report = (diagnostic: Omit<Diagnostic, 'severity'>) =>
    addDiagnostic(errors, { severity: 'error', ...diagnostic });

  const walkAlias = (node: Node & { source: string }, depth: number): Located => {
    const target = anchors.get(node.source);
    if (!target || open.has(target)) {
      report({
        code: 'yaml-alias',
        message: target
          ? `The alias *${node.source} is inside the value that it repeats.`
          : `The alias *${node.source} repeats a value that is marked nowhere above.`,
        at: at(node),
        expected: `a value marked &${node.source} before this place`,
        got: target ? 'a value that contains itself' : 'no such mark',
        help: `Mark the value with &${node.source} where it is first written, or write the value out here.`,
      });
      return nothing(node);
    }
    aliases.push(node);
    const located = walk(target, depth);
    aliases.pop();
    return located;
  };

  const walkMap = (node: YAMLMap, depth: number): Located => {
    const entries = new Map<string, LocatedEntry>();
    for (const [index, pair] of node.items.entries()) {
      if (!isPair(pair)) continue;
      const key = pair.key as Node;
      if (!isScalar(key) || typeof key.value !== 'string') {
        const comma = commaInNumber(pair, node.items[index - 1]);
        report({
          code: 'wrong-type',
          message: comma ? 'A number may not contain a comma.' : 'A key must be a string.',
          at: comma ? range(comma.start, comma.end) : at(key),
          expected: comma ? 'a number' : 'a key such as batchSize',
          got:
            comma?.written ??
            (isScalar(key)
              ? `${String(key.value)} (${key.value === null ? 'nothing' : typeof key.value})`
              : 'a list or mapping'),
          help: comma?.help ?? 'Put the key in quotes if it is meant as a string.',
        });
        continue;
      }
      const name = showVariables(key.value);
      if (name === '__proto__' || name === '<<') {
        report({
          code: 'unknown-key',
          message: `The key ${name} is not allowed in a spec.`,
          at: at(key),
          expected: 'a key of the spec language',
          got: name,
          help:
            name === '<<'
              ? 'YAML 1.2 has no merge keys: take values over from another file with extends, or repeat them.'
              : 'Remove the key.',
        });
        continue;
      }
      const first = entries.get(name);
      if (first) {
        report({
          code: 'yaml-duplicate-key',
          message: `Duplicate key ${name}.`,
          at: at(key),
          expected: 'each key once',
          got: 'a second value for the same key',
          related: [{ message: 'first written here', at: first.key }],
          help: 'Remove one of the two; to try several values, list them under sweep.axes.',
        });
        continue;
      }
      const value = pair.value as Node | null;
      entries.set(name, {
        key: at(key),
        value: value ? walk(value, depth + 1) : { kind: 'scalar', value: null, at: at(key) },
      });
    }
    return { kind: 'map', entries, at: at(node) };
  };

  const walk = (node: Node, depth: number): Located => {
    if (aliases.length > 0) aliased++;
    if (exhausted) return nothing(node);
    if (depth > maxDepth || aliased > maxAliasedNodes) {
      exhausted = true;
      if (depth > maxDepth) errors.push(tooDeep(at(node)));
      else
        report({
          code: 'yaml-alias',
          message: 'The aliases of this file expand to too many values.',
          at: at(aliases[0] ?? node),
          expected: `at most ${maxAliasedNodes.toLocaleString('en')} repeated values`,
          got: 'more',
          help: 'Aliases of aliases multiply: write the values out, or give an axis a range.',
        });
      return nothing(node);
    }
    const { tag } = node as { tag?: string };
    if (tag !== undefined && !coreTag.test(tag)) {
      report({
        code: 'yaml-tag',
        message: `The tag ${tag} has no meaning in a spec.`,
        at: at(node),
        expected: 'a plain value',
        got: `a value with the tag ${tag}`,
        help: 'Remove the tag; numbers, strings, lists and mappings need none.',
      });
      return nothing(node);
    }
    if (isAlias(node)) return walkAlias(node, depth);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined && aliases.length === 0) anchors.set(anchor, node);
    open.add(node);
    try {
      if (isMap(node)) return walkMap(node, depth);
      if (isSeq(node)) {
        return { kind: 'list', items: node.items.map((item) => walk(item as Node, depth + 1)), at: at(node) };
      }
      if (isScalar(node)) {
        const { value } = node;
        const plain = typeof value === 'string' ? showVariables(value) : value;
        return { kind: 'scalar', value: plain as null | boolean | number | string, at: at(node) };
      }
      return nothing(node);
    } finally {
      open.delete(node);
    }
  };
  return walk;
};
