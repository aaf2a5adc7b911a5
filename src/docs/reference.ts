import { Command } from '@commander-js/extra-typings';
import { commands } from '../cli/commands.ts';
import { declareCommand } from '../cli/program.ts';
import { metrics, recordedSettings } from '../metrics/metrics.ts';
import { listNames, namedSections, registry, type NamedSectionKind } from '../registry/rows.ts';
import { rowsOf } from '../registry/schema.ts';
import { describeSchema, type PlainSchema } from '../language/describe.ts';
import { specSchema } from '../language/spec-schema.ts';
import { axisForms } from '../language/sweep/sweep.ts';
import { sweepSchema } from '../language/sweep/section.ts';
import { trainSchema } from '../language/train-section.ts';

const generatedNote = '<!-- Made by `npm run docs`; change the code instead. -->\n';

/** docs/reference: every model, dataset, optimizer, loss, key of a spec, metric, and command. */
export const referencePages = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(namedSections.map((kind) => [`reference/${listNames[kind]}.md`, rowsPage(kind)])),
  'reference/spec.md': specPage(),
  'reference/metrics.md': metricsPage(),
  'reference/commands.md': commandsPage(),
});

const titles: Readonly<Record<NamedSectionKind, string>> = {
  dataset: 'Datasets',
  model: 'Models',
  optimizer: 'Optimizers',
  loss: 'Losses',
};

const rowsPage = (kind: NamedSectionKind): string => {
  const rows = rowsOf(registry, kind);
  const list = rows.map(([name, { title }]) => `- [${name}](#${name}): ${title}`);
  const parts = rows.map(([name, { title, description, parameters }]) =>
    [`## ${name}`, `${title}.`, description, parameterTable(parameters as PlainSchema)].join('\n\n'),
  );
  const head = `# ${titles[kind]}\n\n${generatedNote}\n\`${kind}: { name: ... }\` in a spec chooses one; \`unroll ${listNames[kind]} NAME\` prints the same.`;
  return `${[head, list.join('\n'), ...parts].join('\n\n')}\n`;
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

const defaultOf = ({ default: value }: PlainSchema, required: boolean): string => {
  if (value === undefined) return required ? 'required' : '';
  return value === null ? '' : code(value);
};

/** Every key, nested ones by their path, with what it takes, its default and what it means. */
const parameterTable = (schema: PlainSchema): string => {
  const lines: string[] = [];
  const visit = ({ properties = {}, required = [] }: PlainSchema, prefix: string): void => {
    for (const [key, property] of Object.entries(properties)) {
      const path = `${prefix}${key}`;
      const accepted = describeSchema(property);
      const preset = defaultOf(property, required.includes(key));
      lines.push(
        `| \`${path}\` | ${cell(accepted)} | ${cell(preset)} | ${cell(property.description ?? '')} |`,
      );
      visit(property, `${path}.`);
      if (property.items?.properties) visit(property.items, `${path}[].`);
    }
  };
  visit(schema, '');
  if (lines.length === 0) return 'No parameters.';
  return ['| key | takes | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
};

const specPage = (): string => {
  const section = (heading: string, text: string, schema: PlainSchema) =>
    `## ${heading}\n\n${text}\n\n${parameterTable(schema)}`;
  const { properties = {} } = specSchema as PlainSchema;
  const required = specSchema.required.filter((key) => properties[key]?.default === undefined);
  const top = Object.fromEntries(
    Object.entries(properties).map(([key, one]) => [key, withoutInside(key, one)]),
  );
  const forms = Object.entries(axisForms).map(([kind, form]) => `- \`${kind}\`: \`${form}\``);
  const inner = ['objective', 'run', 'tracking', 'expect'].map((key) => {
    const one = properties[key] ?? {};
    return section(key, one.description ?? '', one.items ?? one);
  });
  const parts = [
    `# The spec\n\n${generatedNote}\nA spec is one YAML 1.2 file. Keys that are not listed here are errors.`,
    section('Top level', 'Every key of a spec.', { properties: top, required }),
    section('train', publicDescription(trainSchema), trainSchema as PlainSchema),
    section('sweep', publicDescription(sweepSchema), sweepSchema as PlainSchema),
    `### Values of an axis\n\nA list of values, or for numbers one of these forms; \`uniform\`, \`logUniform\` and \`integer\` are for searches that draw samples.\n\n${forms.join('\n')}`,
    ...inner,
  ];
  return `${parts.join('\n\n')}\n`;
};

const metricsPage = (): string => {
  const head = `# Metrics

${generatedNote}
A metric is named by the part of the dataset and what is measured, such as \`val/macroF1\`. \`train\` is measured on single minibatches,
\`val\` at each \`evaluateEvery\` and at the end, \`test\` at the end only. The end is evaluated with the weights that the run keeps.`;
  const rows = Object.entries(metrics).map(([name, { goal, unit, range, parts, tasks, ...one }]) => {
    const [low, high] = range;
    const bounds = `${low} to ${high === Infinity ? 'infinity' : high}`;
    const needs = one.moreClassesThan === undefined ? '' : ` with more than ${one.moreClassesThan} classes`;
    const better = goal === 'minimize' ? 'lower' : 'higher';
    const cells = [
      `\`${name}\``,
      better,
      unit,
      bounds,
      parts.join(', '),
      `${tasks.join(', ')}${needs}`,
      one.description,
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  const titles = '| metric | better | unit | range | parts | tasks | meaning |';
  const settings = Object.entries(recordedSettings).flatMap(([name, { parts, description }]) =>
    parts.map((part) => `- \`${part}/${name}\`: ${description}`),
  );
  return `${head}

${[titles, '| --- | --- | --- | --- | --- | --- | --- |', ...rows].join('\n')}

Recorded beside the metrics, with the minibatches that are displayed:

${settings.join('\n')}
`;
};

/** The sections have tables of their own. */
const withoutInside = (key: string, schema: PlainSchema): PlainSchema => {
  const { type, phrase, description, default: preset } = schema;
  const about: Readonly<Record<string, string>> = {
    dataset: 'What is learnt from: see [datasets](datasets.md).',
    model: 'What learns: see [models](models.md).',
    optimizer: 'How the weights are changed: see [optimizers](optimizers.md).',
    loss: 'What the training minimizes: see [losses](losses.md). By default it follows from the task of the dataset.',
    train: 'How long and in which batches each run trains: see [below](#train).',
  };
  const text = about[key] ?? description ?? '';
  const isEmpty = typeof preset === 'object' && preset !== null && Object.keys(preset).length === 0;
  return {
    ...(type !== undefined && { type }),
    ...(phrase !== undefined && { phrase }),
    ...(schema.const !== undefined && { const: schema.const }),
    ...(preset !== undefined && !isEmpty && { default: preset }),
    description: text,
  };
};

const publicDescription = ({ description = '' }: { readonly description?: string }): string => description;

const commandsPage = (): string => {
  const program = new Command('unroll').configureHelp({ helpWidth: 100 });
  const visible = commands.filter(({ hidden }) => hidden !== true);
  const parts = visible.map((row) => {
    const help = declareCommand(program, row).command.helpInformation().trimEnd();
    return `## unroll ${row.name}\n\n\`\`\`text\n${help}\n\`\`\``;
  });
  const list = visible.map(({ name, summary }) => `| [${name}](#unroll-${name}) | ${cell(summary)} |`);
  const head = `# Commands\n\n${generatedNote}\nExit codes: 0 fine; 1 a run failed, an expectation was missed, or the operating system reported an error; 2 bad input; 130 interrupted.`;
  return `${[head, ['| command | what it does |', '| --- | --- |', ...list].join('\n'), ...parts].join('\n\n')}\n`;
};
