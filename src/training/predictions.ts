import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import type { Batch, SequenceShape, Split } from '../data/dataset.ts';
import { isPerStep } from '../data/task.ts';
import type { Loss } from '../losses/loss.ts';
import { columnType, rowWriter, type Cell } from './predicted-row.ts';

/** What an end evaluation predicts for each of the first examples of the test part, as rows. */
export interface Predictions {
  /** Takes a batch of the examples at `indices`, with the network's outputs for it. */
  readonly add: (indices: Int32Array, batch: Batch, outputs: Float32Array) => void;
  /** An Apache Parquet file, in the order of the split. */
  readonly parquet: () => Uint8Array;
}

/** Collects at most `most` examples. */
export const collectPredictions = (
  { task, steps }: Pick<SequenceShape, 'task' | 'steps'>,
  split: Split,
  { loss, most }: { readonly loss: Loss; readonly most: number },
): Predictions => {
  const columns = new Map<string, Cell[]>();
  const put = (name: string, value: Cell) => {
    const column = columns.get(name);
    if (column) column.push(value);
    else columns.set(name, [value]);
  };
  const putRow = rowWriter(task, loss.quantiles, { put, withTruth: true });
  const stepsEach = isPerStep(task) ? steps : 1;
  /** The index of the example of each row. */
  const places: number[] = [];
  return {
    add: (indices, { size, lengths, targets }, raw) => {
      const outputs = loss.predictions?.(raw) ?? raw;
      for (let row = 0; row < size; row++) {
        const index = indices[row] as number;
        if (index >= most) continue;
        const count = isPerStep(task) ? (lengths[row] as number) : 1;
        for (let step = 0; step < count; step++) {
          const head = () => {
            places.push(index);
            put('sequence', split.id?.(index) ?? String(index));
            if (isPerStep(task)) put('step', step + 1);
          };
          putRow({ head, targets, outputs, at: row * stepsEach + step, scaling: split.scaling?.(index) });
        }
      }
    },
    parquet: () => {
      const isSorted = places.every((place, at) => at === 0 || place >= (places[at - 1] as number));
      const order = [...places.keys()].sort((a, b) => (places[a] as number) - (places[b] as number));
      const columnData = [...columns].map(([name, data]): ColumnSource => ({
        name,
        data: isSorted ? data : order.map((at) => data[at] as Cell),
        type: columnType(data[0]),
      }));
      return new Uint8Array(parquetWriteBuffer({ columnData }));
    },
  };
};
