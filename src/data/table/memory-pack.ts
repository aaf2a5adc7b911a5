import { placesIn, type Pack, type PackDescription, type PackedSequence } from './pack.ts';

/** A few sequences in memory, in the form of a pack. */
export const memoryPack = (
  description: Omit<PackDescription, 'sequences' | 'longest' | 'shortest'>,
  sequences: readonly PackedSequence[],
): Pack => {
  const width = description.features.length;
  const stepsOf = sequences.map(({ values }) => values.length / width);
  const records = sequences.map(({ values, statics, targets, weight, key }) =>
    Float64Array.from([
      ...values,
      ...statics,
      ...targets,
      ...(description.weighted ? [weight ?? 1] : []),
      ...(key === undefined ? [] : [key]),
    ]),
  );
  const whole: PackDescription = {
    ...description,
    sequences: sequences.length,
    longest: Math.max(...stepsOf),
    shortest: Math.min(...stepsOf),
  };
  return {
    ...whole,
    numbers: records.reduce((sum, { length }) => sum + length, 0),
    steps: (sequence) => stepsOf[sequence] as number,
    record: (sequence) => records[sequence] as Float64Array,
    places: (steps) => placesIn(whole, steps),
    visit: (wanted, see) => {
      for (const sequence of wanted) see(sequence, records[sequence] as Float64Array, 0);
    },
    names: () => sequences.flatMap(({ name }) => (name === undefined ? [] : [name])),
  };
};
