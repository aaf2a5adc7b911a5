import { defineConfig } from 'unroll-ml';
import { temporalConvolution } from './temporal-convolution.ts';

/** The rows that specs in this folder, and below it, may name beside those that come with Unroll. */
export default defineConfig({ models: [temporalConvolution] });
