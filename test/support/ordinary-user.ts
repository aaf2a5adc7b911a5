import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Root may read every file; without these capabilities it is a user like any other, who still owns its files. */
const withoutRights = ['dac_override', 'dac_read_search', 'fowner', 'chown']
  .map((one) => `-${one}`)
  .join(',');

/** The words before a command that must not have the rights of root. */
export const asOrdinaryUser: readonly string[] =
  process.getuid?.() === 0
    ? ['setpriv', `--bounding-set=${withoutRights}`, `--inh-caps=${withoutRights}`, '--']
    : [];

/** Whether files without rights can be tried: root needs setpriv, and the right to give up its own. */
export const mayLackRights = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-rights-'));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0);
  const [program, ...words] = [...asOrdinaryUser, 'cat', file];
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  const may = status !== 0 && /permission denied/i.test(stderr);
  if (!may) console.log('Tests without rights are skipped: root needs setpriv (util-linux) for them.');
  return may;
})();
