import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { UploaderReport } from '../../../src/mlflow/uploader/protocol.ts';
import { startUpload } from '../../../src/mlflow/uploader/upload.ts';
import { frozenPlanPath } from '../../../src/record/frozen-plan.ts';
import { writeCompactSweep } from '../../support/mlflow/journals.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** What an uploader says of a sweep of two runs (40 points each) that it cannot send. */
const reportsOf = async (
  to: string,
  drainMs: number,
  runsDirectory = temporaryDirectory(),
): Promise<readonly UploaderReport[]> => {
  const { plan } = writeCompactSweep(runsDirectory, { seed: 9, runs: 2, steps: 20 });
  const reports: UploaderReport[] = [];
  const { experiment, sweepId } = plan;
  const upload = startUpload({ runsDirectory, experiment, sweepId, to }, (report) => reports.push(report));
  await upload.finish(drainMs);
  return reports;
};

const answering = async (status: number, body: string): Promise<{ uri: string; requests: () => number }> => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
};

test.each([
  [401, '', 'asks for credentials, and none are set'],
  [403, 'Invalid Host header - possible DNS rebinding attack detected', '--allowed-hosts'],
  [404, 'nothing', 'is not an MLflow server'],
])(
  'a server that answers %i is left alone after one sentence, and what is unsent is counted',
  async (status, body, said) => {
    const { uri, requests } = await answering(status, body);
    const runsDirectory = temporaryDirectory();
    const reports = await reportsOf(uri, 240_000, runsDirectory);
    expect(reports).toEqual([
      { type: 'notice', message: expect.stringContaining(said) as string },
      {
        type: 'finished',
        sent: 0,
        unsent: {
          runs: 2,
          points: 80,
          command: `unroll sync compact-9 --to ${uri} --runs-directory ${runsDirectory}`,
        },
      },
    ]);
    expect(requests()).toBe(1);
  },
);

test('a dead server is said once, and does not keep people waiting at the end', async () => {
  const reports = await reportsOf('http://127.0.0.1:9', 6000);
  expect(reports.map(({ type }) => type)).toEqual(['notice', 'finished']);
  expect(reports[1]).toMatchObject({ unsent: { runs: 2, points: 80 } });
});

test('an address that cannot be used is said, and nothing is sent', async () => {
  const reports = await reportsOf('sqlite:///mlflow.db', 1000);
  expect(reports).toEqual([
    { type: 'notice', message: expect.stringContaining('is not an http(s) address') as string },
    { type: 'finished', sent: 0, unsent: null },
  ]);
});

test('a plan that cannot be read is said, with the command that sends the sweep later', () => {
  const runsDirectory = temporaryDirectory();
  const { plan } = writeCompactSweep(runsDirectory, { seed: 9, runs: 2, steps: 20 });
  const { experiment, sweepId } = plan;
  writeFileSync(frozenPlanPath(runsDirectory, plan), '{');
  const reports: UploaderReport[] = [];
  startUpload({ runsDirectory, experiment, sweepId, to: 'http://127.0.0.1:9' }, (report) =>
    reports.push(report),
  );
  expect(reports).toEqual([
    {
      type: 'notice',
      message: expect.stringMatching(
        /is not a whole plan.*Send it with "unroll sync compact-9 --to http:\/\/127\.0\.0\.1:9/,
      ) as string,
    },
  ]);
});
