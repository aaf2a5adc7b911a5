import type { ParameterIssue } from '../../parameters/row.ts';
import { isPattern } from '../columns/find-files.ts';
import { fractions, settled, type TableParameters, type TableSettings } from './parameters.ts';

/** The mistake of a long table in one file that has no column for its sequences. */
export const needsSequence: ParameterIssue = {
  path: 'sequence',
  message: 'The long layout needs the column that identifies the sequences.',
  expected: 'the name of a column',
  help: 'Add for example `sequence: id`, or write `layout: wide` when each row is a whole sequence. To forecast one long series, use the dataset csv-series.',
};

/** Combinations that make no sense, whatever the files hold. */
export const checkTable = (chosen: TableParameters): readonly ParameterIssue[] => {
  const settings = settled(chosen);
  return [
    ...checkParts(settings),
    ...checkSplit(settings),
    ...checkLayout(settings),
    ...checkTask(settings, chosen),
    ...checkColumnsOnce(settings),
  ];
};

const checkParts = (settings: TableSettings): readonly ParameterIssue[] => {
  const issues: ParameterIssue[] = [];
  for (const part of ['validation', 'test'] as const) {
    const share = settings[`${part}Fraction`];
    if (settings[`${part}File`] !== null && share !== null && share > 0) {
      issues.push({
        path: `${part}Fraction`,
        with: [`${part}File`],
        message: `${part}Fraction and ${part}File both define the ${part} part.`,
        expected: `one of ${part}Fraction and ${part}File`,
        help: 'Remove one of them.',
      });
    }
  }
  const { validation, test } = fractions(settings);
  if (settings.testFile === null && test === 0 && settings.folds === null) {
    issues.push({
      path: 'testFraction',
      message: 'Nothing is left to test on.',
      expected: 'above 0 and below 1',
      help: 'Set testFraction above 0, or name a testFile.',
    });
  }
  if (validation + test >= 1) {
    issues.push({
      path: 'validationFraction',
      with: ['testFraction'],
      message: `validationFraction ${validation} and testFraction ${test} leave nothing to train on.`,
      expected: 'less than 1 together',
      got: `${validation} + ${test}`,
      help: 'Lower one of them.',
    });
  }
  return issues;
};

const checkSplit = (settings: TableSettings): readonly ParameterIssue[] => {
  const { split, splitBy, folds, fold, task } = settings;
  const issues: ParameterIssue[] = [];
  if ((split === 'grouped' || split === 'column') && splitBy === null) {
    const example = split === 'grouped' ? 'patient' : 'part';
    issues.push({
      path: 'split',
      message: `split: ${split} needs the column with the ${split === 'grouped' ? 'group' : 'part'} of a sequence.`,
      expected: 'splitBy',
      help: `Add for example \`splitBy: ${example}\`.`,
    });
  }
  if ((split === 'random' || split === 'stratified') && splitBy !== null) {
    issues.push({
      path: 'splitBy',
      with: ['split'],
      message: `split: ${split} uses no column.`,
      expected: 'split: grouped, chronological or column',
      help: 'Write for example `split: grouped`, or remove splitBy.',
    });
  }
  if (split === 'stratified' && task !== 'classification') {
    issues.push({
      path: 'split',
      with: ['task'],
      message: `split: stratified needs one class a sequence, and the task is ${task}.`,
      expected: 'split: random, grouped, chronological or column',
      help: 'Write `split: random`, or use task: classification.',
    });
  }
  if (folds !== null && (split === 'chronological' || split === 'column')) {
    issues.push({
      path: 'folds',
      with: ['split'],
      message: `split: ${split} has no folds.`,
      expected: 'split: random, stratified or grouped',
      help: 'Remove folds, or write `split: random`.',
    });
  }
  if (folds !== null && (settings.testFile !== null || settings.testFraction !== null)) {
    const other = settings.testFile === null ? 'testFraction' : 'testFile';
    issues.push({
      path: 'folds',
      with: [other],
      message: `folds and ${other} both define the test part.`,
      expected: `one of folds and ${other}`,
      help: `Remove ${other}.`,
    });
  }
  if (fold !== null && fold > (folds ?? 0)) {
    issues.push({
      path: 'fold',
      ...(folds !== null && { with: ['folds'] }),
      message: folds === null ? 'There are no folds to choose one from.' : `There are only ${folds} folds.`,
      expected: folds === null ? 'folds, too' : `a whole number from 1 to ${folds}`,
      help: folds === null ? 'Add for example `folds: 5`, or remove fold.' : `Write \`fold: ${folds}\`.`,
    });
  }
  return issues;
};

const checkLayout = (settings: TableSettings): readonly ParameterIssue[] => {
  const { layout, sequence, order, file, deltaTime, labelsFile, labelsKey, fileName } = settings;
  const issues: ParameterIssue[] = [];
  // Whether another path is a folder shows only when the files are read.
  const isFile = /\.\w+$/.test(file) && !isPattern(file);
  if (layout === 'long' && sequence === null && isFile) issues.push(needsSequence);
  if (layout === 'wide') {
    for (const key of ['sequence', 'order', 'labelsFile'] as const) {
      if (settings[key] !== null) issues.push(unused(key, 'layout', 'The wide layout'));
    }
    if (deltaTime) issues.push(unused('deltaTime', 'layout', 'The wide layout'));
  }
  if (layout === 'long' && deltaTime && order === null) {
    issues.push({
      path: 'deltaTime',
      message: 'deltaTime needs the column with the time of a step.',
      expected: 'order',
      help: 'Add for example `order: time`, or remove deltaTime.',
    });
  }
  if (labelsKey !== null && labelsFile === null) {
    issues.push({
      path: 'labelsKey',
      message: 'labelsKey is a column of labelsFile, which is not there.',
      expected: 'labelsFile, too',
      help: 'Add for example `labelsFile: labels.csv`, or remove labelsKey.',
    });
  }
  if (fileName !== null && !/\{[^{}]+\}/.test(fileName)) {
    issues.push({
      path: 'fileName',
      message: 'fileName has no name in braces.',
      expected: 'a form such as {label}-{subject}.csv',
      help: 'Put the names of columns in braces, as in {label}-{subject}.csv.',
    });
  }
  return issues;
};

const unused = (path: string, because: string, owner: string): ParameterIssue => ({
  path,
  with: [because],
  message: `${owner} does not use ${path}.`,
  expected: `no ${path}`,
  help: 'Remove it, or use layout: long.',
});

const checkTask = (
  { task, targets, layout, perStep, labelSeparator }: TableSettings,
  chosen: TableParameters,
): readonly ParameterIssue[] => {
  const issues: ParameterIssue[] = [];
  if (targets.length > 1 && (task === 'classification' || (task === 'labelling' && layout === 'long'))) {
    issues.push({
      path: 'targets',
      message: `${task} has one target, not ${targets.length}.`,
      expected: 'one column',
      help: `Write for example \`targets: [${targets[0] ?? ''}]\`, or use task: regression.`,
    });
  }
  const onlyRegression = [
    ...(perStep && task !== 'regression' ? ['perStep'] : []),
    ...(chosen.standardizeTargets === true && task !== 'regression' ? ['standardizeTargets'] : []),
  ];
  for (const path of onlyRegression) {
    issues.push({
      path,
      with: ['task'],
      message: `${path} is for a regression, and the task is ${task}.`,
      expected: `no ${path}`,
      help:
        path === 'perStep' && task === 'classification'
          ? 'Remove it; a class at each step is the task labelling.'
          : 'Remove it.',
    });
  }
  if (labelSeparator !== '|' && (task !== 'multi-label' || targets.length > 1)) {
    issues.push({
      path: 'labelSeparator',
      with: [task === 'multi-label' ? 'targets' : 'task'],
      message: 'labelSeparator is for one column of several labels.',
      expected: 'task: multi-label with one target',
      help: 'Remove it, or write `task: multi-label` with one column in targets.',
    });
  }
  return issues;
};

/** Where a column is named by a parameter, apart from those that only add to another. */
const checkColumnsOnce = (settings: TableSettings): readonly ParameterIssue[] => {
  const { sequence, order, features, targets, weight, splitBy } = settings;
  const issues: ParameterIssue[] = [];
  const named = [sequence, order, ...targets, ...(settings.static ?? []), weight].filter(
    (name) => name !== null,
  );
  for (const name of named.filter((one, index) => features?.includes(one) || named.indexOf(one) !== index)) {
    issues.push({
      path: features?.includes(name) ? 'features' : settings.static?.includes(name) ? 'static' : 'targets',
      message: `The column ${JSON.stringify(name)} is used twice.`,
      expected: 'each column in one place only',
      help: `Name ${JSON.stringify(name)} in one of features, targets, sequence and order.${
        targets.includes(name) && features?.includes(name)
          ? ' To forecast a column from its own past, use the dataset csv-series.'
          : ''
      }`,
    });
  }
  if (splitBy !== null && targets.includes(splitBy)) {
    issues.push({
      path: 'splitBy',
      with: ['targets'],
      message: `The column ${JSON.stringify(splitBy)} is a target.`,
      expected: 'a column of groups, times or parts',
      help: 'Write `split: stratified` to give each class its share of every part.',
    });
  }
  if (splitBy !== null && (splitBy === order || splitBy === sequence)) {
    issues.push({
      path: 'splitBy',
      with: [splitBy === order ? 'order' : 'sequence'],
      message: `The column ${JSON.stringify(splitBy)} is used twice.`,
      expected: 'each column in one place only',
      help:
        splitBy === order
          ? 'Remove splitBy: `split: chronological` uses the first time in order.'
          : 'Write `split: random`: the rows of a sequence are never divided.',
    });
  }
  return issues;
};
