import type { ModelRow } from '../models/model.ts';

/** Every model, by the name that a spec writes. */
export const models = {} as const satisfies Record<string, ModelRow>;
