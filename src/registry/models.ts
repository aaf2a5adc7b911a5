import { lstm } from '../models/lstm.ts';
import type { ModelRow } from '../models/model.ts';

/** Every model, by the name that a spec writes. */
export const models = {
  lstm,
} as const satisfies Record<string, ModelRow>;
