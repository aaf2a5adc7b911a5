import * as tf from '@tensorflow/tfjs-core';
import type { Loss, LossContext } from '../../losses/loss.ts';
import type { LossDefinition, ParametersOf } from './definitions.ts';
import { watchForLeaks } from './leaks.ts';
import { blamed, type Origin } from './places.ts';

interface LossPlan {
  readonly definition: LossDefinition;
  readonly origin: Origin;
  readonly parameters: ParametersOf<LossDefinition['parameters']>;
  readonly context: LossContext;
}

/** Builds the user's loss, and checks what the trainer relies on. Errors contain the line of their code. */
export const buildLoss = async ({ definition, origin, parameters, context }: LossPlan): Promise<Loss> => {
  const what = `loss ${definition.name}`;
  let built: Pick<Loss, 'rows' | 'predictions'>;
  try {
    const given = await definition.build(parameters, { tf, ...context });
    built = typeof given === 'function' ? { rows: given } : given;
    if (typeof (built as Partial<Loss> | undefined)?.rows !== 'function')
      throw new Error('it must return a function (outputs, targets), or { rows }');
  } catch (error) {
    throw new Error(blamed(error, `build of ${what}`, origin), { cause: error });
  }
  const leaks = watchForLeaks();
  const { predictions } = built;
  return {
    rows: (outputs, targets) => {
      try {
        leaks.look();
        const rows = built.rows(outputs, targets) as unknown;
        checkRows(rows, outputs.shape[0]);
        return rows as tf.Tensor1D;
      } catch (error) {
        throw new Error(blamed(error, `rows of ${what}`, origin), { cause: error });
      }
    },
    ...(predictions && {
      predictions: (outputs) => {
        try {
          return predictions(outputs);
        } catch (error) {
          throw new Error(blamed(error, `predictions of ${what}`, origin), { cause: error });
        }
      },
    }),
  };
};

const checkRows = (rows: unknown, wanted: number): void => {
  const given = rows instanceof tf.Tensor ? (rows as tf.Tensor) : undefined;
  if (!given) throw new Error(`it returns no tensor; expected the loss of each row, [${wanted}]`);
  if (given.rank !== 1 || given.shape[0] !== wanted)
    throw new Error(
      `it returns the shape [${given.shape.join(', ')}]; expected the loss of each row, [${wanted}]`,
    );
};
