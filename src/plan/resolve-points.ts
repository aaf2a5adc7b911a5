import type { DataContext, SequenceShape } from '../data/dataset.ts';
import type { Task } from '../data/task.ts';
import { outputsOf } from '../data/task.ts';
import type { DataDescription } from '../data/description.ts';
import { failed, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { defaultLoss } from '../losses/loss.ts';
import {
  fileParameters,
  findRow,
  namedSections,
  type NamedSectionKind,
  type Registry,
  type Table,
} from '../registry/rows.ts';
import type { OwnMetricRow } from '../metrics/own-metric.ts';
import type { ParameterIssue, Row } from '../parameters/row.ts';
import { datasetFacts, type DatasetFacts } from './dataset-facts.ts';
import { vectorsResolver } from './pretrained-vectors.ts';
import { blame, createFindings, type Finding, type SectionIssue } from './blame.ts';
import { canonicalJson, shortHash } from '../system/json.ts';
import { checkTogether, warnTogether, type Together } from './check-together.ts';
import type { NamedSection, RunConfig, TrainConfig } from '../language/config.ts';
import type { CodeDigests, Run } from './plan.ts';
import {
  checkNamedSection,
  checkTrainSection,
  inSection,
  type SoundSection,
  type SectionKind,
} from '../language/sections.ts';
import { describeSetting } from '../language/describe.ts';
import { applyChoices, bySection, groundOf } from '../search/grid.ts';
import type { Choice, Point } from '../language/sweep/sweep.ts';
import { identityOfModel, identityOfTrain, trainerVersion, withoutPaths } from './run-identity.ts';
import {
  checkVariables,
  unusedWeights,
  type FindWeights,
  type FoundWeights,
  type StartingWeights,
  type Variable,
} from './starting-weights.ts';
import type { Spec } from '../language/validate-spec.ts';

/** A point with every value resolved: what its runs have in common, whatever their seed. */
export interface Configuration {
  readonly point: Point;
  /** 12 hex digits of the SHA-256 of the canonical JSON of `config`, `datasetDigest`, `versions` and `code`. */
  readonly id: string;
  /** A run for each fold of its dataset and each seed of the spec, seeds fastest. */
  readonly replicates: readonly Replicate[];
  readonly config: RunConfig;
  readonly datasetDigest: string;
  readonly versions: Run['versions'];
  readonly code: CodeDigests | undefined;
  /** What a report must know of the metrics of the user's own. */
  readonly ownMetrics: Run['ownMetrics'];
  readonly start: StartingWeights | undefined;
  /** The digest of the model's pretrained vectors, if it reads some. */
  readonly vectors: string | undefined;
  /** The parameters that name files, if the dataset is the user's own. */
  readonly files: readonly string[] | undefined;
}

/** What distinguishes the runs of a configuration. */
export interface Replicate {
  /** As the id of the configuration, with the key `seed` and the fold in the dataset. */
  readonly runId: string;
  readonly seed: number;
  /** Counted from 1; absent where the dataset has no folds. */
  readonly fold?: number;
}

export interface ResolvedPoints {
  readonly configurations: readonly Configuration[];
  /** Points that were equal to an earlier one. */
  readonly merged: readonly Point[];
  /** Each dataset of the sweep once, in the order of the points. */
  readonly datasets: readonly DatasetFacts[];
  /** The shape of the first configuration's dataset. */
  readonly shape: SequenceShape;
  /** What is suspicious in the data. */
  readonly warnings: readonly Diagnostic[];
}

/** What resolving takes besides the spec. */
export interface ResolveOptions {
  /** Called with the progress of reading large data files. */
  readonly reading?: DataContext['reading'];
  /** Finds what `train.from` names. */
  readonly findWeights?: FindWeights | undefined;
}

/**
 * Validates what each point makes of the spec and fills in every default. Sections are checked once for each
 * combination of choices that touches them, so a large grid costs little more than its hashes.
 */
export const resolvePoints = async (
  spec: Spec,
  points: readonly Point[],
  { reading, findWeights }: ResolveOptions = {},
): Promise<Result<ResolvedPoints>> => {
  const findings = createFindings(points.length);
  const warned = createFindings(points.length);
  const resolve = sectionResolver(spec);
  const datasets = new Map<string, DatasetFacts | readonly Finding[]>();
  const fitsTogether = remember((together: Together) => checkTogether(spec.registry, together));
  const startOf = weightsResolver(spec, findWeights);
  const vectorsOf = vectorsResolver(spec, reading);
  const configurations = new Map<string, Configuration>();
  const merged: Point[] = [];
  let shape: SequenceShape | undefined;

  for (const point of points) {
    const sections = resolve(point, findings.add);
    if (!sections) continue;
    const { dataset, optimizer, loss, train } = sections;
    let facts = datasets.get(dataset.canonical);
    if (!facts) {
      facts = await datasetFacts(spec, { point, section: dataset.value, reading });
      datasets.set(dataset.canonical, facts);
    }
    if (!('shape' in facts)) {
      facts.forEach(findings.add);
      continue;
    }
    shape ??= facts.shape;
    facts.warnings.forEach(warned.add);
    const read = await vectorsOf(sections, facts.shape);
    for (const issue of read.issues) findings.add(blame(spec, point, issue));
    if (read.issues.length) continue;
    const { model, vectors } = read;
    if (read.described) facts.noteVectors(read.described);
    const issues = fitsTogether(
      `${model.canonical}${dataset.canonical}${optimizer.canonical}${loss?.canonical ?? ''}${train.canonical}`,
      {
        dataset: dataset.value,
        model: model.value,
        optimizer: optimizer.value,
        loss: loss?.value,
        train: train.value,
        shape: facts.shape,
        own: spec.registry.metric ?? {},
        smallest: smallestTarget(facts.planned.description),
        parts: facts.parts,
      },
    );
    for (const issue of issues) findings.add(blame(spec, point, issue));
    if (issues.length) continue;
    for (const issue of warnTogether({ optimizer: optimizer.value, train: train.value }))
      warned.add({ ...blame(spec, point, issue), severity: 'warning' });
    const started = await startOf(point, { ...sections, model }, facts.shape);
    for (const issue of started.issues) findings.add(blame(spec, point, issue));
    for (const issue of started.warnings) warned.add({ ...blame(spec, point, issue), severity: 'warning' });
    if (started.issues.length) continue;
    const configuration = createConfiguration(spec, {
      point,
      start: started.start,
      vectors,
      sections: withoutDefaultLoss(spec, { ...sections, model }, facts.shape.task),
      task: facts.shape.task,
      datasetDigest: facts.digest,
    });
    if (configurations.has(configuration.id)) merged.push(point);
    else configurations.set(configuration.id, configuration);
  }
  const errors = findings.list();
  if (errors.length || !shape) return failed(errors);
  return success({
    configurations: [...configurations.values()],
    merged,
    datasets: [...datasets.values()].filter((facts) => 'shape' in facts),
    shape,
    warnings: warned.list(),
  });
};

interface Sections {
  readonly dataset: SoundSection<NamedSection>;
  readonly model: SoundSection<NamedSection>;
  readonly optimizer: SoundSection<NamedSection>;
  /** Undefined where the task decides. */
  readonly loss: SoundSection<NamedSection> | undefined;
  readonly train: SoundSection<TrainConfig>;
}

/** Checks the sections of a point, each combination of choices once. */
const sectionResolver = (spec: Spec) => {
  const ground = groundOf(spec.registry, spec.base);
  const named = (kind: NamedSectionKind) =>
    remember((choices: readonly Choice[]) =>
      checkNamedSection(spec.registry, kind, applyChoices(ground, kind, choices)),
    );
  const byKind = {
    dataset: named('dataset'),
    model: named('model'),
    optimizer: named('optimizer'),
    loss: named('loss'),
  };
  const isNamed = Object.keys(spec.base.loss).length > 0;
  const trainOf = remember((choices: readonly Choice[]) =>
    checkTrainSection(applyChoices(ground, 'train', choices)),
  );
  // A value drawn from an interval has no number.
  const idsOf = (choices: readonly Choice[]) =>
    choices.reduce((text, { id, key, value }) => `${text} ${id ?? `${key}=${JSON.stringify(value)}`}`, '');
  return (point: Point, report: (finding: Finding) => void): Sections | undefined => {
    const choices = bySection(point);
    const dataset = byKind.dataset(idsOf(choices.dataset), choices.dataset);
    const model = byKind.model(idsOf(choices.model), choices.model);
    const optimizer = byKind.optimizer(idsOf(choices.optimizer), choices.optimizer);
    const loss =
      isNamed || choices.loss.length > 0
        ? byKind.loss(idsOf(choices.loss), choices.loss)
        : success(undefined);
    const train = trainOf(idsOf(choices.train), choices.train);
    if (dataset.ok && model.ok && optimizer.ok && loss.ok && train.ok)
      return {
        dataset: dataset.value,
        model: model.value,
        optimizer: optimizer.value,
        loss: loss.value,
        train: train.value,
      };
    for (const [section, checked] of Object.entries({ dataset, model, optimizer, loss, train })) {
      if (checked.ok) continue;
      for (const issue of checked.errors)
        report(
          blame(spec, point, {
            ...issue,
            ...(section === 'loss' &&
              !isNamed &&
              issue.code === 'missing-key' && { help: lossToName(point) }),
            section: section as SectionKind,
          }),
        );
    }
    return undefined;
  };
};

/** A sweep varies parameters of a loss, and the spec names none. */
const lossToName = (point: Point): string => {
  const swept = point.find(({ path }) => path[0] === 'loss')?.key ?? 'loss';
  return `Name a loss that has ${swept.slice('loss.'.length)}, such as focal, in a section loss at the top level of the spec.`;
};

/** A loss that is the default of the task is left out: naming it makes no other run. */
const withoutDefaultLoss = (spec: Spec, sections: Sections, task: Task): Sections => {
  if (!sections.loss) return sections;
  const preset = checkNamedSection(spec.registry, 'loss', { name: defaultLoss(task) });
  const isDefault = preset.ok && preset.value.canonical === sections.loss.canonical;
  return isDefault ? { ...sections, loss: undefined } : sections;
};

/** A function whose results are kept by a key. */
const remember = <A, R>(compute: (argument: A) => R): ((key: string, argument: A) => R) => {
  const known = new Map<string, R>();
  return (key, argument) => {
    let result = known.get(key);
    if (result === undefined) {
      result = compute(argument);
      known.set(key, result);
    }
    return result;
  };
};

const smallestTarget = ({ parts: { train } }: DataDescription): number | undefined =>
  train?.ranges && Math.min(...train.ranges.map(({ min }) => min));

interface Started {
  readonly start: StartingWeights | undefined;
  readonly issues: readonly SectionIssue[];
  readonly warnings: readonly SectionIssue[];
}

/** Finds the weights that points start from, each once, and compares them and the patterns of `train` with the network. */
const weightsResolver = ({ registry, document }: Spec, findWeights: FindWeights | undefined) => {
  const find = remember(
    async (from: string) => (await findWeights?.(from, document.baseDirectory)) ?? failed([cannotFind]),
  );
  return async (point: Point, { model, loss, train }: Sections, shape: SequenceShape): Promise<Started> => {
    const { from = null, freeze, reinitialize } = train.value;
    if (from === null && !freeze && !reinitialize) return { start: undefined, issues: [], warnings: [] };
    const inTrain = (issue: ParameterIssue): SectionIssue => ({
      ...inSection(issue, train.value),
      section: 'train',
    });
    // A sweep may compare starting weights with none.
    if (from === null && reinitialize && !point.some(({ key }) => key.startsWith('train.from')))
      return { start: undefined, issues: [inTrain(withoutFrom)], warnings: [] };
    const found = from === null ? undefined : await find(from, from);
    if (found?.ok === false) {
      const issues = found.errors.map((error) => ({
        got: describeSetting(from),
        ...error,
        path: ['from'],
        section: 'train' as const,
      }));
      return { start: undefined, issues, warnings: [] };
    }
    const weights: FoundWeights | undefined = found?.value;
    const network = networkOf(registry, { model: model.value, loss: loss?.value, shape });
    // Of a model of the user's own, the training compares them once it is built.
    if (!network) return { start: weights?.start, issues: [], warnings: [] };
    const unused = weights && unusedWeights(network, weights);
    return {
      start: weights?.start,
      issues: checkVariables(train.value, network, weights).map(inTrain),
      warnings: unused ? [inTrain(unused)] : [],
    };
  };
};

const withoutFrom: ParameterIssue = {
  path: 'reinitialize',
  message: 'reinitialize has no effect without from: every variable is drawn anyway.',
  expected: 'from to be set, or no reinitialize',
  help: 'Remove `reinitialize`, or name weights to start from with `from`.',
};

const cannotFind = {
  code: 'conflict',
  message: 'from cannot be used here: there are no recorded runs to start from.',
  expected: 'no from',
  help: 'Remove from.',
} as const;

/** The variables of a network; undefined where they are known only once it is built. */
const networkOf = (
  registry: Registry,
  { model, loss, shape }: { model: NamedSection; loss: NamedSection | undefined; shape: SequenceShape },
): readonly Variable[] | undefined => {
  const outputsPerTarget = (loss && findRow(registry.loss, loss.name)?.outputsPerTarget?.(loss)) ?? 1;
  const outputs = outputsOf(shape.task, { outputsPerTarget });
  return findRow(registry.model, model.name)?.variables?.(model, { shape, outputs });
};

interface ConfigurationParts {
  readonly point: Point;
  readonly start: StartingWeights | undefined;
  /** The digest of the model's pretrained vectors. */
  readonly vectors: string | undefined;
  readonly sections: Sections;
  readonly task: Task;
  readonly datasetDigest: string;
}

const createConfiguration = (
  spec: Spec,
  { point, start, vectors, sections, task, datasetDigest }: ConfigurationParts,
): Configuration => {
  const { dataset, model, optimizer, loss, train } = sections;
  const versions = {
    dataset: dataset.version,
    model: model.version,
    optimizer: optimizer.version,
    ...(loss && { loss: loss.version }),
    trainer: trainerVersion,
  };
  const metrics = Object.entries(spec.registry.metric ?? {}).filter(([, { tasks }]) =>
    tasks.includes(task.kind),
  );
  const code = codeOf(spec, sections, metrics);
  const files = fileParameters(spec.registry, dataset.value.name);
  const placeless = (value: NamedSection) => canonicalJson(withoutPaths(value, files));
  const isPlain =
    train.value.accuracyFirst128 === undefined && train.value.predictions === undefined && !start;
  const training = isPlain ? train.canonical : canonicalJson(identityOfTrain(train.value, start));
  const modelText =
    vectors === undefined ? model.canonical : canonicalJson(identityOfModel(model.value, vectors));
  const lossText = loss ? `"loss":${loss.canonical},` : '';
  const head = (data: string) => {
    const config = `{"dataset":${data},${lossText}"model":${modelText},"optimizer":${optimizer.canonical},"train":${training}}`;
    return `{${code ? `"code":${canonicalJson({ ...code })},` : ''}"config":${config},"datasetDigest":${JSON.stringify(datasetDigest)}`;
  };
  const tail = `"versions":${canonicalJson(versions)}}`;
  const own = head(files.length === 0 ? dataset.canonical : placeless(dataset.value));
  return {
    point,
    id: shortHash(`${own},${tail}`),
    replicates: foldsOf(spec, dataset.value).flatMap((fold) => {
      const data = fold === undefined ? own : head(placeless({ ...dataset.value, fold }));
      return spec.seeds.map((seed) => ({
        runId: shortHash(`${data},"seed":${seed},${tail}`),
        seed,
        ...(fold !== undefined && { fold }),
      }));
    }),
    config: {
      dataset: dataset.value,
      model: model.value,
      optimizer: optimizer.value,
      ...(loss && { loss: loss.value }),
      train: train.value,
    },
    datasetDigest,
    versions,
    code,
    ownMetrics:
      metrics.length > 0 ? Object.fromEntries(metrics.map(([name, row]) => [name, factsOf(row)])) : undefined,
    start,
    vectors,
    files: code?.dataset === undefined || files.length === 0 ? undefined : files,
  };
};

/** The folds that a dataset is trained on one by one; a single undefined one where it has none, or one is chosen. */
const foldsOf = ({ registry }: Spec, dataset: NamedSection): readonly (number | undefined)[] => {
  const chosen = dataset['fold'] ?? null;
  const folds = chosen === null ? findRow(registry.dataset, dataset.name)?.folds?.(dataset) : undefined;
  return folds === undefined ? [undefined] : Array.from({ length: folds }, (_, at) => at + 1);
};

/** JSON has no infinity. */
const factsOf = ({ goal, unit, range: [low, high] }: OwnMetricRow) => {
  const bound = (value: number) => (Number.isFinite(value) ? value : null);
  return { goal, unit, range: [bound(low), bound(high)] satisfies [number | null, number | null] };
};

/** The digests of the rows that do not come with Unroll: a run made by other code is another run. */
const codeOf = (
  { registry }: Spec,
  sections: Sections,
  own: readonly (readonly [name: string, row: OwnMetricRow])[],
): CodeDigests | undefined => {
  const digests = namedSections.flatMap((kind) => {
    const table: Table<Row> = registry[kind];
    const origin = findRow(table, sections[kind]?.value.name ?? '')?.origin;
    return origin ? [[kind, origin.digest] as const] : [];
  });
  const metrics = Object.fromEntries(own.map(([name, { origin }]) => [name, origin.digest]));
  if (digests.length === 0 && own.length === 0) return undefined;
  return { ...Object.fromEntries(digests), ...(own.length > 0 && { metrics }) };
};
