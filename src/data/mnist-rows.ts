import type { DatasetRow } from './dataset.ts';
import { mnistRow } from './mnist.ts';

export const mnistRows = {
  title: 'MNIST digits, an image read as 28 rows of 28 pixels',
  description:
    'The MNIST database of handwritten digits (LeCun, Bottou, Bengio and Haffner 1998): 55,000 images for training, the first 5,000 of the 60,000 for validation, 10,000 for testing. Pixels are scaled to [0,1].',
  ...mnistRow(28),
} as const satisfies DatasetRow;
