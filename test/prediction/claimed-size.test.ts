import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModel } from '../../src/prediction/open-model.ts';
import { buildPredictor } from '../../src/prediction/predictor.ts';
import { registry } from '../../src/registry/rows.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { writeToyFolder } from '../support/model-folder.ts';

test('a model.json that claims more layers than a spec may ask for is refused before they are counted', async () => {
  const folder = join(temporaryDirectory(), 'model');
  writeToyFolder(folder, { name: 'gru', parameters: { hiddenSize: 3, layers: 1 } });
  const path = join(folder, 'model.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"layers": ?1/, '"layers": 1000000000000000'));
  const model = openModel(folder, { runsDirectory: 'runs' });
  if (!model.ok) throw new Error(model.errors[0]?.message);
  expect(await buildPredictor(model.value, registry)).toMatchObject({
    ok: false,
    errors: [{ code: 'damaged-record', expected: 'a whole number from 1 to 64' }],
  });
});
