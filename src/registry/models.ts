import { gru } from '../models/gru.ts';
import { lstm } from '../models/lstm.ts';
import type { ModelRow } from '../models/model.ts';
import { simpleRnn } from '../models/simple-rnn.ts';

/** Every model, by the name that a spec writes. */
export const models = { lstm, gru, 'simple-rnn': simpleRnn } as const satisfies Record<string, ModelRow>;
