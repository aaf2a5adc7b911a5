import type { Row } from '../../parameters/row.ts';
import { namedSections, type Registry } from '../../registry/rows.ts';
import type { PlainSchema } from '../describe.ts';
import { sectionKinds, type SectionKind } from '../sections.ts';
import { trainSchema } from '../train-section.ts';

/** A path that a sweep may vary, in one row of a registry (or in `train`, where `row` is null). */
export interface SweepableParameter {
  /** `optimizer.schedule.name` */
  readonly key: string;
  readonly kind: SectionKind;
  readonly row: string | null;
  readonly schema: PlainSchema;
}

/** Every parameter of every row, by its path; one path may exist in several rows. */
export const sweepableParameters = (
  registry: Registry,
): ReadonlyMap<string, readonly SweepableParameter[]> => {
  const found = new Map<string, SweepableParameter[]>();
  const collect = (prefix: string, schema: PlainSchema, from: Omit<SweepableParameter, 'key' | 'schema'>) => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const key = `${prefix}.${name}`;
      const parameter = { ...from, key, schema: inner };
      const others = found.get(key);
      if (others) others.push(parameter);
      else found.set(key, [parameter]);
      if (inner.properties) collect(key, parameter.schema, from);
    }
  };
  for (const kind of namedSections) {
    const table: Readonly<Record<string, Row>> = registry[kind];
    for (const [row, { parameters }] of Object.entries(table))
      collect(kind, parameters as PlainSchema, { kind, row });
  }
  collect('train', trainSchema as PlainSchema, { kind: 'train', row: null });
  return found;
};

/** Whether a path is a whole section, such as `optimizer`. */
export const isSection = (key: string): key is SectionKind => sectionKinds.some((kind) => kind === key);
