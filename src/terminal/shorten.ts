/** Returns the width of a string, in columns of a terminal or in characters. */
type Measure = (text: string) => number;

const characters: Measure = ({ length }) => length;

/** Only the beginning and the end of a string are shown, and splitting a long one into characters takes time. */
const mostRead = 500;

const segmentsOf = (text: string): readonly string[] => {
  const read = text.length > 2 * mostRead ? text.slice(0, mostRead) + text.slice(-mostRead) : text;
  return Array.from(new Intl.Segmenter().segment(read), ({ segment }) => segment);
};

/** Joins as many segments as fit into a width, from the first or from the last one on. */
const within = (
  segments: readonly string[],
  width: number,
  { measure, from }: { readonly measure: Measure; readonly from: 'first' | 'last' },
): string => {
  const taken: string[] = [];
  let room = width;
  for (let count = 1; count <= segments.length; count++) {
    const segment = segments.at(from === 'first' ? count - 1 : -count) as string;
    room -= measure(segment);
    if (room < 0) break;
    taken.push(segment);
  }
  return (from === 'first' ? taken : taken.reverse()).join('');
};

interface Cut {
  /** The part of the width for the end of the string; a third by default, because names often differ only at the end. */
  readonly tail?: number;
  readonly measure?: Measure | undefined;
}

const cutSegments = (
  segments: readonly string[],
  width: number,
  { tail = Math.floor((width - 1) / 3), measure = characters }: Cut,
): string => {
  if (width <= 0) return '';
  // Long texts are not joined and measured for each cut that is tried.
  if (segments.length <= width && measure(segments.join('')) <= width) return segments.join('');
  const end = within(segments, tail, { measure, from: 'last' });
  return `${within(segments, width - 1 - measure(end), { measure, from: 'first' })}…${end}`;
};

/** Cuts a string that is wider than `width` to its beginning and its end, with an ellipsis between them. */
export const shorten = (text: string, width: number, cut: Cut = {}): string =>
  (cut.measure ?? characters)(text) <= width ? text : cutSegments(segmentsOf(text), width, cut);

/**
 * Shortens each string to its width, so that different strings stay different. Cuts at the end, unless `cut` has a tail; where
 * strings would then look alike, cuts in the middle, or leaves out the beginning that they share.
 */
export const shortenApart = (
  texts: readonly string[],
  widths: readonly number[],
  cut: Cut = {},
): string[] => {
  const { measure } = cut;
  const widthAt = (at: number) => widths[at] ?? 0;
  const short = texts.map((text, at) => shorten(text, widthAt(at), { tail: 0, ...cut }));
  const numberOf = numbering();
  // By the narrowest, so that one that is a little wider is not cut in another way than the rest.
  const narrowest = Math.min(...texts.flatMap((text, at) => (short[at] === text ? [] : [widthAt(at)])));
  const begins = texts.map((text, at) =>
    short[at] === text ? text : shorten(text, narrowest, { tail: 0, ...cut }),
  );
  for (const alike of lookingAlike(texts, begins)) {
    const members = new Set(alike);
    const others = new Set(short.filter((_, at) => !members.has(at)));
    const segments = new Map(alike.map((at) => [at, segmentsOf(texts[at] as string)]));
    const isClear = (shown: readonly string[]) =>
      shown.every((text) => !others.has(text)) &&
      lookingAlike(
        alike.map((at) => texts[at] as string),
        shown,
      ).length === 0;
    const widest = Math.max(...alike.map(widthAt));
    if (widest < 2) continue;
    const common = commonBeginning([...segments.values()]);
    const tails = Array.from({ length: widest - 2 }, (_, tail) => tail);
    const isShort = (tail: number) => tail <= widest / 3;
    // The beginning is shown as long as it leaves room for what differs, and is left out before it is cut to a few letters.
    const forms = [
      ...tails.filter(isShort).map((tail) => ({ skipped: 0, tail })),
      ...tails.map((tail) => ({ skipped: common, tail })),
      ...tails.filter((tail) => !isShort(tail)).map((tail) => ({ skipped: 0, tail })),
    ];
    const shownAs = ({ skipped, tail }: (typeof forms)[number]) =>
      alike.map((at) => {
        const all = segments.get(at) ?? [];
        if (skipped === 0) return cutSegments(all, widthAt(at), { tail, measure });
        return `…${cutSegments(all.slice(skipped), widthAt(at) - 1, { tail, measure })}`;
      });
    const clear = forms.find((form) => isClear(shownAs(form)));
    const shown = clear ? shownAs(clear) : alike.map((at) => numberOf(texts[at] as string));
    for (const [place, at] of alike.entries()) short[at] = shown[place] as string;
  }
  return short;
};

/** Groups the indices of different strings that would look the same. */
const lookingAlike = (texts: readonly string[], shown: readonly string[]): readonly (readonly number[])[] => {
  const places = new Map<string, number[]>();
  for (const [at, text] of shown.entries()) {
    const known = places.get(text);
    if (known) known.push(at);
    else places.set(text, [at]);
  }
  return [...places.values()].filter((all) => all.some((at) => texts[at] !== texts[all[0] as number]));
};

const commonBeginning = ([first = [], ...rest]: readonly (readonly string[])[]): number => {
  const differs = first.findIndex((segment, at) => rest.some((other) => other[at] !== segment));
  return differs === -1 ? first.length : differs;
};

/** Numbers different strings, for columns that have room for nothing else. */
const numbering = (): ((text: string) => string) => {
  const numbers = new Map<string, number>();
  return (text) => {
    const number = numbers.get(text) ?? numbers.size + 1;
    numbers.set(text, number);
    return `…${number}`;
  };
};
