export interface SampleSettings {
  /** What the text begins with. */
  readonly prompt: string;
  /** How many tokens are drawn. */
  readonly length: number;
  /** Divides the logits: below 1 likely tokens become likelier; 0 takes the likeliest. */
  readonly temperature: number;
  /** Draws from this many of the likeliest tokens; undefined: from all. */
  readonly topK?: number | undefined;
  readonly seed: number;
}

export const usualSampling = { length: 100, temperature: 1, seed: 1 };
