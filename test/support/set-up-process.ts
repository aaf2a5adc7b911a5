// A process that sets up what its environment says; for tests that kill it or start two at once.
import { fakeSetup } from './fake-setup.ts';
import type { FakeSetup } from './fake-setup.ts';
import { setUp } from '../../src/tensorflow/install/main.ts';

const request = fakeSetup(JSON.parse(process.env['FAKE_SETUP'] ?? '') as FakeSetup);
process.stdout.write(JSON.stringify(await setUp(request)));
