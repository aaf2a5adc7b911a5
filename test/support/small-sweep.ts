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

/** A sweep whose first run diverges within a few steps, with an optimizer's rate that is far too large; the others do not. */
export const firstDiverges = (options: {
  readonly steps: number;
  readonly others: number;
  readonly run: string;
}): string => `
version: 1
name: trial
dataset: { name: adding-problem, length: 10, trainSize: 200, testSize: 50 }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: sgd }
train: { batchSize: 16, steps: ${options.steps}, displayEvery: 1 }
objective: { metric: test/loss, goal: minimize }
sweep: { axes: { optimizer.learningRate: [1000, ${Array.from({ length: options.others }, (_, index) => (index + 1) / 1000).join(', ')}] } }
run: { ${options.run} }
`;
