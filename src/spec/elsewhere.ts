import type { Row } from '../parameters/row.ts';
import { namedSections, type Registry } from '../registry/rows.ts';
import type { SchemaIssue } from './check.ts';
import { runSchema } from './run-section.ts';
import type { SectionKind } from './sections.ts';
import { specSchema } from './spec-schema.ts';
import { sweepSchema } from './sweep/section.ts';
import { trainSchema } from './train-section.ts';

/** Adds to the issue of an unknown key, when no key near it is known there, where a key of this name belongs. */
export const whereKeyBelongs = (issue: SchemaIssue, registry: Registry, kind?: SectionKind): SchemaIssue => {
  if (issue.code !== 'unknown-key' || issue.nearest !== undefined || issue.key === undefined) return issue;
  const { key } = issue;
  const here = kind ?? issue.path.slice(0, -1).join('.');
  const homes = homesOf(key, registry).filter(({ place }) => place !== here);
  const [home] = homes;
  if (!home) {
    return key === 'seed'
      ? { ...issue, nearest: 'seeds', help: 'Write `seeds: [1, 2, 3]` at the top level.' }
      : issue;
  }
  const place = home.place === '' ? 'at the top level of the spec' : `under ${home.place}`;
  const rows = home.rows.length > 0 && home.place === here ? ` (${home.rows.join(', ')})` : '';
  return { ...issue, help: `${key} belongs ${place}${rows}; move it there.` };
};

interface Home {
  readonly place: string;
  readonly rows: readonly string[];
}

const homesOf = (key: string, registry: Registry): Home[] => {
  const has = (schema: { readonly properties: object }) => Object.hasOwn(schema.properties, key);
  const homes: Home[] = [];
  if (has(specSchema)) homes.push({ place: '', rows: [] });
  if (has(trainSchema)) homes.push({ place: 'train', rows: [] });
  for (const section of namedSections) {
    const table: Readonly<Record<string, Row>> = registry[section];
    const rows = Object.entries(table).flatMap(([name, row]) => (has(row.parameters) ? [name] : []));
    if (rows.length) homes.push({ place: section, rows });
  }
  if (has(runSchema)) homes.push({ place: 'run', rows: [] });
  if (has(sweepSchema)) homes.push({ place: 'sweep', rows: [] });
  return homes;
};
