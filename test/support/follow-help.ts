import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { axisKinds } from '../../src/language/sweep/sweep.ts';
import type { SourceRange } from '../../src/diagnostic/diagnostic.ts';

/** What a user who follows the help of a message to the letter changes: the file at the place, or the option. */
export interface Advice {
  /** The words of the help that are followed. */
  readonly words: string;
  /** The whole source text afterwards; undefined where the words do not fit the place. */
  readonly text: string | undefined;
}

type Follow = (place: Place, words: RegExpExecArray) => string | undefined;

/** The source text of a message and its place in it, read as far as it can be read. */
class Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly root: Node | null;

  constructor({ source, start, end }: SourceRange) {
    this.text = source.text;
    this.start = start;
    this.end = end;
    this.root = parseDocument(source.text, { uniqueKeys: false }).contents;
  }

  get isOption(): boolean {
    return /^--\w+ /.test(this.text);
  }

  get written(): string {
    return this.text.slice(this.start, this.end);
  }

  replace(by: string, start = this.start, end = this.end): string {
    const rest = this.text.slice(start, end).trimEnd().length;
    end = start + (rest || end - start);
    const space = start === end && this.text[start - 1] === ':' ? ' ' : '';
    return this.text.slice(0, start) + space + by + this.text.slice(end);
  }

  entries(): Pair[] {
    const found: Pair[] = [];
    if (this.root) visit(this.root, { Pair: (_, pair) => void found.push(pair) });
    return found;
  }

  /** The entries of mappings around the place, the innermost first, each with its mapping. */
  around(): { readonly map: YAMLMap; readonly pair: Pair }[] {
    const found: { map: YAMLMap; pair: Pair }[] = [];
    if (!this.root) return found;
    visit(this.root, {
      Pair: (_, pair, path) => {
        const [start, end] = rangeOf(pair);
        const map = path.at(-1);
        if (isMap(map) && start <= this.start && this.end <= Math.max(end, this.start))
          found.unshift({ map, pair });
      },
    });
    return found.filter(({ pair }) => {
      const [start, end] = rangeOf(pair);
      return start <= this.start && this.end <= end;
    });
  }

  /** The mapping that the key at the place has. */
  mapBelowKey(): YAMLMap | undefined {
    const [inner] = this.around();
    const range = (inner?.pair.key as Node | undefined)?.range;
    const atKey = range?.[0] === this.start && this.end <= range[1];
    return inner && atKey && isMap(inner.pair.value) ? inner.pair.value : undefined;
  }

  /** The mapping at the place, or around it. */
  map(): YAMLMap | undefined {
    const below = this.mapBelowKey();
    if (below) return below;
    let found: YAMLMap | undefined;
    if (!this.root) return undefined;
    visit(this.root, {
      Map: (_, map) => {
        const [start, end] = map.range ?? [0, 0];
        if (start <= this.start && this.end <= end) found = map;
      },
    });
    return found ?? (isMap(this.root) ? this.root : undefined);
  }

  section(path: string): YAMLMap | undefined {
    let found: unknown = this.root;
    for (const key of path.split('.')) found = isMap(found) ? found.get(key, true) : undefined;
    return isMap(found) ? found : undefined;
  }

  without(map: YAMLMap, pair: Pair): string {
    const parent = this.around().find((one) => one.pair.value === map);
    if (parent && map.items.length === 1) return this.without(parent.map, parent.pair);
    const at = map.items.indexOf(pair);
    const [start, end] = rangeOf(pair);
    if (map.flow !== true) {
      const line = this.text.lastIndexOf('\n', start - 1) + 1;
      const next = this.text.indexOf('\n', end);
      return this.replace('', line, next === -1 ? this.text.length : next + 1);
    }
    const after = map.items[at + 1];
    const before = map.items[at - 1];
    if (after) return this.replace('', start, rangeOf(after)[0]);
    return this.replace('', before ? rangeOf(before)[1] : start, end);
  }

  with(map: YAMLMap, entry: string): string {
    const last = map.items.at(-1);
    if (map.flow === true) {
      const end = (map.range?.[1] ?? 1) - 1;
      return this.replace(last ? `, ${entry} ` : ` ${entry} `, last ? rangeOf(last)[1] : end, end);
    }
    const first = map.items[0];
    const start = first ? rangeOf(first)[0] : 0;
    const indent = start - (this.text.lastIndexOf('\n', start - 1) + 1);
    return this.replace(`${entry}\n${' '.repeat(indent)}`, start, start);
  }
}

const rangeOf = (pair: Pair): readonly [number, number] => {
  const key = pair.key as Node;
  const value = pair.value as Node | null;
  return [key.range?.[0] ?? 0, Math.max(key.range?.[1] ?? 0, value?.range?.[1] ?? 0)];
};

const keyOf = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);

/** `key: value` is written in place of what has the key around the place, or is added to the mapping there. */
const write = (place: Place, key: string, value: string): string | undefined => {
  const last = (name: string) => name.slice(name.lastIndexOf('.') + 1);
  const below = place.mapBelowKey();
  if (below && last(place.written) !== key) return writeInto(place, below, key, value);
  const whole = place.entries().find((pair) => {
    const start = (pair.value as Node | null)?.range?.[0];
    return keyOf(pair) === key && start === place.start;
  });
  if (whole) return place.replace(value);
  for (const { map, pair } of place.around()) {
    if (keyOf(pair) === key || last(keyOf(pair)) === key) {
      const node = pair.value as Node | null;
      const [start, end] = node?.range ?? [0, 0];
      // An item of an axis or of a rule is replaced, not all of them.
      if (isSeq(node) && keyOf(pair) !== key && place.start >= start && place.start > start)
        return place.replace(value);
      if (node) return place.replace(value, start, end);
      return place.replace(`${place.written}: ${value}`);
    }
    const beside = map.items.find((one) => isPair(one) && keyOf(one) === key);
    const node = beside?.value as Node | undefined;
    if (node?.range) return place.replace(value, node.range[0], node.range[1]);
  }
  const map = place.map();
  return map && writeInto(place, map, key, value);
};

const writeInto = (place: Place, map: YAMLMap, key: string, value: string): string => {
  const present = map.items.find((one) => keyOf(one) === key)?.value as Node | undefined;
  if (present?.range) return place.replace(value, present.range[0], present.range[1]);
  return place.with(map, `${key}: ${value}`);
};

const remove = (place: Place, key?: string): string | undefined => {
  // An option is left out as a whole.
  if (place.isOption) return '';
  const entry = place
    .around()
    .flatMap(({ map, pair }) =>
      key === undefined ? [{ map, pair }] : map.items.map((one) => ({ map, pair: one })),
    )
    .find(({ pair }) => key === undefined || keyOf(pair) === key);
  return entry && place.without(entry.map, entry.pair);
};

/** The item of the innermost list around the place is taken out. */
const removeItem = (place: Place): string | undefined => {
  const entry = place.around().find(({ pair }) => isSeq(pair.value));
  const list = entry && isSeq(entry.pair.value) ? entry.pair.value : undefined;
  if (!entry || !list) return remove(place);
  if (list.items.length === 1) return place.without(entry.map, entry.pair);
  const item = list.items.find((one) => {
    const [start, end] = (one as Node).range ?? [0, 0];
    return start <= place.start && place.end <= end;
  }) as Node | undefined;
  const [start, end] = item?.range ?? [0, 0];
  return place.replace('null', start, end);
};

/** A value as it is written in the help, up to the end of the clause. */
const value = String.raw`("[^"]*"|\{.*?\}(?=[.,;:]| |$)|\[.*?\]|(?!(?:the|it|one|a|for|value)\b)[\w.-]+?(?=[.,;]?(?:\s|$)))`;

/** The clauses of help that can be followed, and how. The words before a form of `key: value` say where it goes. */
const clauses: readonly (readonly [clause: RegExp, follow: Follow])[] = [
  [/^Did you mean \S+, which is set already\?$/g, (place) => remove(place)],
  [
    /Did you mean \S+? Write `([^`]+):` in place of `([^`]+):`/g,
    (place, [, key = '', old = '']) =>
      place.written.replaceAll(/^["']|["']$/g, '') === old ? place.replace(key) : undefined,
  ],
  [/^Did you mean (\S+)\?$/g, (place, [, name = '']) => place.replace(name)],
  [
    /(?:--set|--sweep) [\w.-]+=(?:'[^']*'|[^\s`]+)/g,
    (place, [option = '']) => place.replace(option, 0, place.text.length),
  ],
  [/Write ([\w.]+=\S+) to remove/g, (place, [, assignment = '']) => place.replace(assignment)],
  [
    /`([\w.-]+): ([^`]*)` (?:to|in) (sweep|train)\b(?: instead of (\w+))?/g,
    (place, [, key = '', text = '', section = '', old]) => {
      const map = place.section(section);
      const replaced = map?.items.find((one) => keyOf(one) === old);
      if (replaced) return place.replace(`${key}: ${text}`, ...rangeOf(replaced));
      return map && place.with(map, `${key}: ${text}`);
    },
  ],
  [
    /write `([\w.]+): ([^`]*)` under sweep\.axes/g,
    (place, [, path = '', values = '']) => {
      const first = place.replace(/\[([^,\]]*)/.exec(values)?.[1] ?? '');
      const axes = place.section('sweep.axes');
      return axes ? undefined : `${first}sweep: { axes: { ${path}: ${values} } }\n`;
    },
  ],
  [
    /Remove the axis ([\w.]+)|Remove `(\w+)` from ([\w.]+)/g,
    (place, [, axis, key, section]) => {
      const map = place.section(section ?? 'sweep.axes');
      const pair = map?.items.find((one) => keyOf(one) === (axis ?? key));
      return map && pair && place.without(map, pair);
    },
  ],
  [
    /`([\w.-]+): ([^`]*)` at the top level/g,
    (place, [, key = '', text = '']) => {
      const [inner] = place.around();
      const moved =
        inner !== undefined && keyOf(inner.pair) === key ? place.without(inner.map, inner.pair) : place.text;
      return `${moved}${key}: ${text}\n`;
    },
  ],
  [
    /Axes are one level deeper: `axes: \{ ([\w.]+): \[\.\.\.\] \}`/g,
    (place, [, path = '']) => {
      const entry = place.around().find(({ pair }) => keyOf(pair) === path);
      const node = entry?.pair.value as Node | undefined;
      if (!entry || !node?.range) return undefined;
      const values = place.text.slice(node.range[0], node.range[1]);
      return place.replace(`axes: { ${path}: ${values} }`, ...rangeOf(entry.pair));
    },
  ],
  [
    /\b(\w+) belongs under (\w+); move it there/g,
    (place, [, key = '', section = '']) => {
      const entry = place.around().find(({ pair }) => keyOf(pair) === key);
      const node = entry?.pair.value as Node | undefined;
      const map = place.section(section);
      if (!entry || !node?.range || !map) return undefined;
      const text = place.text.slice(node.range[0], node.range[1]);
      const moved = new Place({
        source: { name: '', text: place.with(map, `${key}: ${text}`) },
        start: place.start,
        end: place.end,
      });
      const shift = moved.text.length - place.text.length;
      const at = (map.range?.[0] ?? 0) < place.start ? shift : 0;
      return remove(
        new Place({ source: { name: '', text: moved.text }, start: place.start + at, end: place.end + at }),
      );
    },
  ],
  [
    /Put a space after the colon: `(\w+): \.\.\.`/g,
    (place, [, key = '']) => place.text.replace(`${key}:`, `${key}: `),
  ],
  [/`([\w.-]+): ([^`]*)`/g, (place, [, key = '', text = '']) => write(place, key, text)],
  [
    new RegExp(
      `(?:Write|Swap the bounds:|List the values to try:|Swap the bounds,)(?: for example)? ${value}`,
      'g',
    ),
    (place, [, text = '']) => {
      const [kind] = /^\{ (\w+):/.exec(text)?.slice(1) ?? [];
      const isKind = axisKinds.some((one) => one === kind);
      const around = place.around().find(({ map }) => isKind && map.has(kind));
      const range = around?.map.range;
      return range ? place.replace(text, range[0], range[1]) : place.replace(text);
    },
  ],
  [/Remove `?(?!it\b|one\b|the\b)(\w+)`?/g, (place, [, key]) => remove(place, key)],
  [/or remove (?:it|the rule)$|(?<=or )remove the rule/g, (place) => removeItem(place)],
  [
    /Remove (?:it|the key)\b|or remove (?:it|the axis|the setting)\b|Remove one of the two(?: axes)?/g,
    (place) => remove(place),
  ],
  [/Keep one of \w+ and (\w+) and remove the other/g, (place, [, key]) => remove(place, key)],
  [
    /, or remove `(\w+)`|or leave (\w+) out|Leave (\w+) out/g,
    (place, [, a, b, c]) => remove(place, a ?? b ?? c),
  ],
];

/** Every way in which help can be followed at the place of its message; empty for prose. */
export const followHelp = (help: string, at: SourceRange): Advice[] => {
  const place = new Place(at);
  const taken: [number, number][] = [];
  return clauses.flatMap(([clause, follow]) =>
    [...help.matchAll(clause)].flatMap((match) => {
      const [start, end] = [match.index, match.index + match[0].length];
      if (taken.some(([from, to]) => start < to && from < end)) return [];
      taken.push([start, end]);
      return [{ words: match[0], text: follow(place, match) }];
    }),
  );
};
