import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/diagnostic/nearest.ts';

const models = ['lstm', 'gru', 'simple-rnn'];

describe('the nearest name', () => {
  test.each([
    ['ltsm', 'lstm'],
    ['LSTM', 'lstm'],
    ['lst', 'lstm'],
    ['simple_rnn', 'simple-rnn'],
    ['simplernn', 'simple-rnn'],
    ['gur', 'gru'],
    ['simpel-rnn', 'simple-rnn'],
  ])('of %s is %s', (written, expected) => {
    expect(nearest(written, models)).toBe(expected);
  });

  test('is one that begins like it or is abbreviated so, and none that only shares a word with it', () => {
    expect(nearest('hiden', ['hiddenSize', 'layers'])).toBe('hiddenSize');
    expect(nearest('lr', ['clipNorm', 'learningRate'])).toBe('learningRate');
    expect(nearest('kernelSize', ['kernelInitializer', 'hiddenSize'])).toBeUndefined();
  });

  test('is none when nothing is near', () => {
    expect(nearest('transformer', models)).toBeUndefined();
    expect(nearest('', models)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
