/** A spec whose runs take a few milliseconds a step; `steps` decides how long one lasts. */
export const smallSpec = (options: {
  readonly steps: number;
  readonly hiddenSizes?: readonly number[];
  readonly seeds?: number;
  readonly train?: string;
  readonly dataset?: string;
  readonly run?: string;
  readonly more?: string;
}): string => `
version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 200, testSize: 50${options.dataset ? `, ${options.dataset}` : ''} }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 0.01 }
train: { batchSize: 16, steps: ${options.steps}, displayEvery: 1${options.train ? `, ${options.train}` : ''} }
objective: { metric: test/accuracy, goal: maximize }
seeds: ${options.seeds ?? 1}
${options.hiddenSizes ? `sweep: { axes: { model.hiddenSize: [${options.hiddenSizes.join(', ')}] } }` : ''}
${options.run ? `run: { ${options.run} }` : ''}
${options.more ?? ''}
`;
