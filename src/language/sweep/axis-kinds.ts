/** The ways to write the values of an axis, apart from a plain list. Each is the key of a mapping. */
export const axisKinds = ['range', 'linear', 'log', 'choice', 'uniform', 'logUniform', 'integer'] as const;

export type AxisKind = (typeof axisKinds)[number];

/** The keys that belong to each kind besides its own. */
export const axisKeys: Readonly<
  Record<AxisKind, { readonly needs: readonly string[]; readonly may: readonly string[] }>
> = {
  range: { needs: [], may: ['step'] },
  linear: { needs: ['steps'], may: [] },
  log: { needs: ['steps'], may: [] },
  choice: { needs: [], may: ['weights'] },
  uniform: { needs: [], may: ['step'] },
  logUniform: { needs: [], may: ['step'] },
  integer: { needs: [], may: ['step'] },
};

/** How each kind is written. */
export const axisForms: Readonly<Record<AxisKind, string>> = {
  range: '{ range: [16, 128], step: 16 }',
  linear: '{ linear: [0, 0.5], steps: 6 }',
  log: '{ log: [1e-4, 1e-2], steps: 3 }',
  choice: '{ choice: [adam, sgd], weights: [2, 1] }',
  uniform: '{ uniform: [0, 0.5] }',
  logUniform: '{ logUniform: [1e-4, 1e-1] }',
  integer: '{ integer: [16, 512] }',
};

/** The form to show for a parameter of whole numbers, or of any numbers. */
export const exampleForm = (integer: boolean): string => (integer ? axisForms.range : axisForms.log);
