import { inWords } from '../diagnostic/in-words.ts';
import type { Row } from '../parameters/row.ts';
import { namedSections, type Registry } from '../registry/rows.ts';
import type { Issue } from '../diagnostic/diagnostic.ts';
import { runSchema } from './run-section.ts';
import type { JsonMap, SectionKind } from './sections.ts';
import { isSection } from './sweep/axis-kinds.ts';
import { specSchema } from './spec-schema.ts';
import { sweepSchema } from './sweep/section.ts';
import { trainSchema } from './train-section.ts';

/**
 * Finds where an unknown key belongs when no key near it is known at its place: another section, another row of
 * the same section, or the axes of a sweep. `name` is the row that the section uses.
 */
export const whereKeyBelongs = (
  issue: Issue,
  registry: Registry,
  written: JsonMap,
  section?: { readonly kind: SectionKind; readonly name: string },
): Issue => {
  if (issue.code !== 'unknown-key' || issue.nearest !== undefined || issue.key === undefined) return issue;
  const { key } = issue;
  const here = section?.kind ?? issue.path.slice(0, -1).join('.');
  const [first = ''] = key.split('.');
  if (key.includes('.') && isSection(first)) return { ...issue, help: helpForAxis(key, here, written) };
  const homes = homesOf(key, registry);
  const rows = homes.find(({ place }) => place === here)?.rows ?? [];
  if (section && issue.path.length === 1 && rows.length > 0) {
    return {
      ...issue,
      help: `Remove ${key}, which ${inWords(rows)} ${rows.length === 1 ? 'has' : 'have'} and ${section.name} does not, or use another ${here}.`,
    };
  }
  const home = homes.find(({ place }) => place !== here);
  if (!home) return issue;
  const place = home.place === '' ? 'at the top level of the spec' : `under ${home.place}`;
  const there = home.place === '' ? written : written[home.place];
  if (typeof there === 'object' && there !== null && Object.hasOwn(there, key))
    return { ...issue, help: `Remove ${key}: it belongs ${place}, where it is set already.` };
  return { ...issue, help: `${key} belongs ${place}; move it there.` };
};

const helpForAxis = (key: string, here: string, { sweep }: JsonMap): string =>
  here.startsWith('sweep')
    ? here === 'sweep' && typeof sweep === 'object' && sweep !== null && Object.hasOwn(sweep, 'axes')
      ? `${key} belongs under sweep.axes; move it there.`
      : `Axes are one level deeper: \`axes: { ${key}: [...] }\`.`
    : `Write ${key.split('.').join(': { ')}: ...${' }'.repeat(key.split('.').length - 1)}, or list its values under sweep.axes.`;

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
