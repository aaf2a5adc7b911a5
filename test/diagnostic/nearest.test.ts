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

  test('is found in any script', () => {
    expect(nearest('temperatür', ['Druck', 'Temperatur'])).toBe('Temperatur');
    expect(nearest('ВРЕМЯ', ['скорость', 'время'])).toBe('время');
  });

  test.each([
    ['time', ['id', '時間', '温度', 'label']],
    ['stunde', ['', '#', '--']],
    ['温度', ['時間', 'id']],
    ['x', ['y', 'z']],
    ['time', ['item', 'emit']],
    ['identity', ['id']],
  ])('of %s is none of the unrelated %j', (written, candidates) => {
    expect(nearest(written, candidates)).toBeUndefined();
  });

  test('is none when nothing is near', () => {
    expect(nearest('transformer', models)).toBeUndefined();
    expect(nearest('', models)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
