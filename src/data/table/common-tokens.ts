import type { Pack } from './pack.ts';

/**
 * Each file numbers its tokens as they come. Shows packs of several files with one numbering, so that the same text has
 * the same numbers in all of them; packs of numbers stay as they are.
 */
export const withCommonTokens = <M extends { readonly pack: Pack }>(parts: readonly M[]): readonly M[] => {
  const packs = new Set(parts.map(({ pack }) => pack));
  if (packs.size < 2) return parts;
  const known = new Map<string, number>();
  const numberOf = (text: string): number => {
    const found = known.get(text) ?? known.size;
    known.set(text, found);
    return found;
  };
  const views = new Map([...packs].map((pack) => [pack, renumbered(pack, numberOf)]));
  return parts.map((part) => ({ ...part, pack: views.get(part.pack) ?? part.pack }));
};

const renumbered = (pack: Pack, numberOf: (text: string) => number): Pack => {
  if (!pack.tokens) return pack;
  const numbers = Float64Array.from(pack.tokens, numberOf);
  const renumber = (record: Float64Array, from: number, steps: number) => {
    for (let at = from; at < from + steps; at++) record[at] = numbers[record[at] as number] as number;
  };
  return {
    ...pack,
    record: (sequence) => {
      const record = pack.record(sequence);
      renumber(record, 0, pack.steps(sequence));
      return record;
    },
    visit: (sequences, see) => {
      pack.visit(sequences, (sequence, record, from) => {
        renumber(record, from, pack.steps(sequence));
        see(sequence, record, from);
      });
    },
  };
};
