import type { DatasetRow } from './dataset.ts';
import { mnistRow } from './mnist.ts';

export const mnistPixels = {
  title: 'MNIST digits, an image read as 784 single pixels',
  description:
    'MNIST read pixel by pixel, row after row: a test of memory over 784 steps (Le, Jaitly and Hinton 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units"). The parts are those of mnist-rows.',
  ...mnistRow(784),
} as const satisfies DatasetRow;
