/** What `unroll explain CODE` and docs/errors/CODE.md say of one code, beside the sentence in `codes.ts`. */
export interface Page {
  /** Why this is a mistake, and what is behind it: a few sentences. */
  readonly why: string;
  readonly examples: readonly [Example, ...Example[]];
}

/** A wrong form and the right one. A test shows that the wrong one has the page's code and the right one is valid. */
export type Example = SpecExample | CommandExample;

/** Keys that stand here replace those of a whole small spec; `whole`: nothing is added. */
export interface SpecExample {
  readonly kind: 'spec';
  readonly wrong: string;
  readonly right: string;
  readonly whole?: boolean;
}

/** One command line. `before`: what makes it wrong, where the words alone do not. */
export interface CommandExample {
  readonly kind: 'command';
  readonly before?: string;
  readonly wrong: string;
  readonly right: string;
}

export const spec = (wrong: string, right: string): SpecExample => ({ kind: 'spec', wrong, right });

export const wholeSpec = (wrong: string, right: string): SpecExample => ({
  kind: 'spec',
  wrong,
  right,
  whole: true,
});

export const command = (wrong: string, right: string, before?: string): CommandExample => ({
  kind: 'command',
  wrong,
  right,
  ...(before !== undefined && { before }),
});
