import { describe, expect, test } from 'vitest';
import type { SequenceShape } from '../../src/data/dataset.ts';
import type { ModelRow, Truncation } from '../../src/models/model.ts';
import {
  cellNames,
  parametersOf,
  rows,
  shapeOf,
  type AnyParameters,
  type CellName,
} from '../support/networks.ts';

interface Wrong {
  readonly names?: readonly CellName[];
  readonly parameters?: Partial<AnyParameters>;
  readonly shape?: Partial<SequenceShape>;
  readonly truncation?: Truncation;
  readonly path: string;
}

const labelling = { task: { kind: 'labelling', classes: 2 } } as const;
const nextStep = {
  input: { kind: 'tokens', vocabulary: 3 },
  task: { kind: 'next-step', classes: 3 },
} as const;

const wrongs: Record<string, Wrong> = {
  'merge without a second direction': { parameters: { merge: 'sum' }, path: 'merge' },
  'dropout between layers of one layer': { parameters: { dropout: 0.2 }, path: 'dropout' },
  'readout where every step has a target': {
    parameters: { readout: 'last' },
    shape: labelling,
    path: 'readout',
  },
  'a backward cell that would see the next step': {
    parameters: { bidirectional: true },
    shape: nextStep,
    path: 'bidirectional',
  },
  'embedding of numbers': { parameters: { embeddingSize: 4 }, path: 'embeddingSize' },
  'truncation longer than the sequences': {
    truncation: { steps: 7, style: 'chunked' },
    path: 'truncation.steps',
  },
  'true truncation of two directions': {
    parameters: { bidirectional: true },
    truncation: { steps: 2, style: 'true' },
    path: 'bidirectional',
  },
  'layer normalisation of a GRU with the reset before': {
    names: ['gru'],
    parameters: { layerNorm: true, resetAfter: false },
    path: 'layerNorm',
  },
  'peepholes around layer normalisation': {
    names: ['lstm'],
    parameters: { layerNorm: true, peepholes: true },
    path: 'peepholes',
  },
  'a projection that is not smaller': {
    names: ['lstm'],
    parameters: { hiddenSize: 8, projectionSize: 8 },
    path: 'projectionSize',
  },
};

const issuesOf = (name: CellName, { parameters, shape, truncation }: Omit<Wrong, 'path'>) => {
  const row = rows[name] as ModelRow;
  const chosen = parametersOf(name, parameters);
  return [
    ...(row.check?.(chosen) ?? []),
    ...(row.checkWith?.(chosen, { shape: shapeOf(shape), truncation }) ?? []),
  ];
};

describe('what makes no sense together is one issue at the right key, with a way out', () => {
  for (const [title, wrong] of Object.entries(wrongs))
    for (const name of wrong.names ?? cellNames)
      test(`${name}: ${title}`, () => {
        const issues = issuesOf(name, wrong);
        expect(issues.map(({ path }) => path)).toEqual([wrong.path]);
        expect(issues[0]?.section).toBe(wrong.path.startsWith('truncation') ? 'train' : undefined);
        for (const text of [issues[0]?.message, issues[0]?.help]) expect(text).toMatch(/^\S.*\.$/);
        expect(issues[0]?.expected).toBeTruthy();
      });
});

test('several issues are told at once', () => {
  const paths = issuesOf('lstm', {
    parameters: { merge: 'mean', dropout: 0.1, embeddingSize: 2, readout: 'max' },
    shape: labelling,
  }).map(({ path }) => path);
  expect(paths).toEqual(['merge', 'dropout', 'readout', 'embeddingSize']);
});

describe('what makes sense passes', () => {
  const fine: Record<string, Omit<Wrong, 'path'>> = {
    'merge of two directions': { parameters: { bidirectional: true, merge: 'mean' } },
    'dropout between two layers': { parameters: { layers: 2, dropout: 0.5 } },
    'auto on labelling, both directions': { parameters: { bidirectional: true }, shape: labelling },
    'embedding of tokens': { parameters: { embeddingSize: 4 }, shape: nextStep },
    'truncation as long as the sequences': { truncation: { steps: 6, style: 'true' } },
    'chunks of two directions': {
      parameters: { bidirectional: true },
      truncation: { steps: 2, style: 'chunked' },
    },
  };
  for (const [title, one] of Object.entries(fine))
    for (const name of cellNames) test(`${name}: ${title}`, () => expect(issuesOf(name, one)).toEqual([]));
});
