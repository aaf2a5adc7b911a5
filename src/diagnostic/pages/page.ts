/** The page of one code in `unroll explain CODE` and docs/errors/CODE.md; `codes.ts` has its summary. */
export interface Page {
  /** Why this is an error, in a few sentences. */
  readonly why: string;
  readonly examples: readonly [Example, ...Example[]];
}

/** A wrong form and the right one. A test checks that the wrong one gives the page's code and the right one is valid. */
export type Example = SpecExample | CommandExample;

/** These keys replace those of a small complete spec; with `whole`, nothing is added. */
export interface SpecExample {
  readonly kind: 'spec';
  readonly wrong: string;
  readonly right: string;
  readonly whole?: boolean;
}

/** A command line. `before` describes the situation if the command alone does not show the error. */
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
