import { expect, test } from 'vitest';
import { checkNamedSection } from '../../src/language/sections.ts';
import type { Run } from '../../src/plan/plan.ts';
import { registry } from '../../src/registry/rows.ts';
import { codeChanges } from '../../src/runner/staleness.ts';

/** The version and parameters of a model whose other settings are defaults. */
const modelOf = (name: string, layerNorm: boolean) => {
  const checked = checkNamedSection(registry, 'model', { name, hiddenSize: 4, layerNorm });
  if (!checked.ok) throw new Error(`${name} is not valid.`);
  return checked.value;
};

test.each(['lstm', 'gru', 'simple-rnn'])(
  'the version of %s is raised for layer normalisation alone, so all other runs keep their ids',
  (name) => {
    const [plain, normalised] = [modelOf(name, false), modelOf(name, true)];
    expect([plain.version, normalised.version]).toEqual([1, 2]);
    // Runs as they were recorded before.
    const recorded = ({ value: model }: typeof plain) =>
      ({
        config: { model, dataset: { name: 'mnist-rows' }, optimizer: { name: 'adam' } },
        versions: { dataset: 1, model: 1, optimizer: 1, trainer: 1 },
      }) as unknown as Run;
    expect(codeChanges(recorded(plain))).toEqual([]);
    expect(codeChanges(recorded(normalised))).toEqual([`the model ${name} is now version 2, was 1`]);
  },
);
