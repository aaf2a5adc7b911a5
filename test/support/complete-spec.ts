/** A spec that is valid as it is, by its keys. */
const base: Readonly<Record<string, string>> = {
  version: 'version: 1',
  name: 'name: example',
  dataset: 'dataset: { name: toy-sequences }',
  model: 'model: { name: lstm }',
  optimizer: 'optimizer: { name: adam, learningRate: 0.001 }',
  train: 'train: { steps: 100 }',
};

/** A part of a spec with the keys it lacks. */
export const completeSpec = (part: string): string => {
  const written = [...part.matchAll(/^(\w+):/gm)].map(([, key]) => key);
  const rest = Object.entries(base).filter(([key]) => !written.includes(key));
  return `${[...rest.map(([, line]) => line), part].join('\n')}\n`;
};
