/** What a network learns; loss and metrics follow from it. */
export type Task =
  /** One class a sequence; targets `[batch]`, int. */
  | { readonly kind: 'classification'; readonly classes: number; readonly labels?: readonly string[] }
  /** One class a step; targets `[batch, time]`, int; steps past the length do not count. */
  | { readonly kind: 'labelling'; readonly classes: number; readonly labels?: readonly string[] }
  /** The next token at each step; targets `[batch, time]`, int; reported as perplexity. */
  | { readonly kind: 'next-step'; readonly classes: number; readonly labels?: readonly string[] }
  /** Any number of labels a sequence, each present or absent; targets `[batch, classes]`, float, 0 or 1. */
  | { readonly kind: 'multi-label'; readonly classes: number; readonly labels?: readonly string[] }
  /**
   * A vector of numbers a sequence; targets `[batch, outputs]`, float. With `perStep` one at each step, `[batch, time,
   * outputs]`; steps past the length do not count. `targets` has their names, where there are several that have one.
   */
  | {
      readonly kind: 'regression';
      readonly outputs: number;
      readonly perStep?: true;
      readonly targets?: readonly string[];
    }
  /** The next `horizon` values of some columns; targets `[batch, horizon, targets]`, float. */
  | {
      readonly kind: 'forecast';
      readonly horizon: number;
      readonly targets: readonly string[];
      /** The last `horizon` steps of the inputs are those to forecast, with what is known of them ahead. */
      readonly readsAhead?: true;
      /** Targets may be NaN: such a one counts neither in the loss nor in a metric. */
      readonly hasGaps?: true;
    };

export const taskKinds = [
  'classification',
  'labelling',
  'next-step',
  'multi-label',
  'regression',
  'forecast',
] as const satisfies readonly Task['kind'][];

export const isTaskKind = (value: unknown): value is Task['kind'] => taskKinds.some((kind) => kind === value);

/** A task whose targets are numbers, measured in a unit of their own. */
export type NumberTask = Extract<Task, { kind: 'regression' | 'forecast' }>;

/** A task whose targets are one of several classes. */
export type ClassTask = Extract<Task, { kind: 'classification' | 'labelling' | 'next-step' }>;

export const isNumberTask = (task: Task): task is NumberTask =>
  task.kind === 'regression' || task.kind === 'forecast';

export const isClassTask = (task: Task): task is ClassTask =>
  !isNumberTask(task) && task.kind !== 'multi-label';

/** The names of the classes or labels; undefined for numbers, and where they have none. */
export const labelsOf = (task: Task): readonly string[] | undefined =>
  isNumberTask(task) ? undefined : task.labels;

/** Whether there is a target at each step. Steps past a sequence's length then do not count. */
export const isPerStep = (task: Task): boolean =>
  task.kind === 'labelling' ||
  task.kind === 'next-step' ||
  (task.kind === 'regression' && task.perStep === true);

/**
 * At how many of its last steps a network is read: at each step of the horizon where the inputs reach so far, and the
 * outputs are then those of one step after another. Otherwise a network gives all outputs of a sequence at once.
 */
export const stepsRead = (task: Task): number =>
  task.kind === 'forecast' && task.readsAhead === true ? task.horizon : 1;

/** How many numbers the target of a sequence has, or of a step where there is one at each step. */
export const targetSize = (task: Task): number => {
  switch (task.kind) {
    case 'classification':
    case 'labelling':
    case 'next-step':
      return 1;
    case 'multi-label':
      return task.classes;
    case 'regression':
      return task.outputs;
    case 'forecast':
      return task.horizon * task.targets.length;
  }
};

/**
 * The length of the last axis of a network's outputs: classes, or the numbers of a target, for each of which a loss may
 * need several outputs.
 */
export const outputsOf = (task: Task, { outputsPerTarget }: PerTarget = { outputsPerTarget: 1 }): number =>
  (isClassTask(task) ? task.classes : targetSize(task)) * outputsPerTarget;

interface PerTarget {
  readonly outputsPerTarget: number;
}
