/**
 * The numbers that each fused update rule reads, by name, in the order in which they cross to C++, with their units.
 * `npm run native:settings` writes native/update-settings.h from this table: a rule in native/update-rules.h reads a
 * setting as a member of its struct. Rules that share an object share a struct.
 */
const momentum = {
  learningRate:
    'Step for a gradient of 1, after the schedule; in units of the weight per unit of the gradient.',
  momentum: 'The part of the velocity that remains, 0 to 1.',
};

const rmsProp = {
  learningRate: 'Step for a gradient of its usual size, after the schedule; in units of the weight.',
  rho: 'Decay of the running means at each update, 0 to 1.',
  oneMinusRho: '1 - rho, computed in double precision.',
  momentum: 'The part of the velocity that remains, 0 to 1; 0 where the rule has none.',
  epsilon: 'Added under the root; in units of the squared gradient.',
};

export const updateSettings = {
  Sgd: { learningRate: momentum.learningRate },
  Momentum: momentum,
  Nesterov: momentum,
  RmsProp: rmsProp,
  RmsPropCentered: rmsProp,
  RmsPropMomentum: rmsProp,
  RmsPropCenteredMomentum: rmsProp,
  Adagrad: {
    learningRate: rmsProp.learningRate,
    epsilon: rmsProp.epsilon,
  },
  Adadelta: {
    learningRate: 'Factor of the step, after the schedule; 1 in the paper. No unit.',
    rho: rmsProp.rho,
    oneMinusRho: rmsProp.oneMinusRho,
    epsilon: 'Added to the mean squares of the gradient and of the change; in the units of each.',
  },
  Adam: {
    beta1: 'Decay of the mean of the gradient at each update, 0 to 1.',
    oneMinusBeta1: '1 - beta1, computed in double precision.',
    beta2: 'Decay of the mean of the squared gradient at each update, 0 to 1.',
    oneMinusBeta2: '1 - beta2, computed in double precision.',
    stepSize: 'The learning rate, corrected for means that start at zero; in units of the weight.',
    epsilon: 'Added to the root; in units of the gradient.',
    keep: 'The part of the weight that remains before the step, 0 to 1; 1 without weight decay.',
  },
  Adamax: {
    beta1: 'Decay of the mean of the gradient at each update, 0 to 1.',
    oneMinusBeta1: '1 - beta1, computed in double precision.',
    beta2: 'Decay of the largest gradient at each update, 0 to 1.',
    stepSize: 'The learning rate, corrected for a mean that starts at zero; in units of the weight.',
    epsilon: 'Added to the largest gradient, in its units.',
  },
} as const;

type Table = typeof updateSettings;

/** A rule of native/update-rules.h; each is an operation of the library. */
export type UpdateRule = keyof Table;

/** For a union of rules: the settings of all of them. */
type SettingName<Rule extends UpdateRule> = Rule extends unknown ? keyof Table[Rule] : never;

/** A number for each setting of the rule. */
export type UpdateSettings<Rule extends UpdateRule> = Readonly<Record<SettingName<Rule>, number>>;

/** Packs the settings as C++ reads them: the bytes of the rule's struct in native/update-settings.h. */
export const packSettings = <Rule extends UpdateRule>(
  rule: Rule,
  settings: UpdateSettings<Rule>,
): Float32Array =>
  Float32Array.from(
    Object.keys(updateSettings[rule]) as SettingName<Rule>[],
    (name: SettingName<Rule>) => settings[name],
  );

const preamble = `// The settings of the optimizers' update rules, in the order in which they cross from TypeScript.
//
// Generated from src/optimizers/update-settings.ts by \`npm run native:settings\`: change that file, never this one.
#pragma once

#include <cstddef>

namespace unroll {`;

/** Returns the content of native/update-settings.h: a struct for each object in the table, and an alias for each rule that shares one. */
export const settingsHeader = (): string => {
  const owners = new Map<object, string>();
  const parts = Object.entries(updateSettings).map(([rule, settings]) => {
    const owner = owners.get(settings);
    if (owner) return `using ${rule}Settings = ${owner}Settings;`;
    owners.set(settings, rule);
    return settingsStruct(rule, settings);
  });
  return [preamble, ...parts, '}  // namespace unroll\n'].join('\n\n');
};

const settingsStruct = (rule: string, settings: Readonly<Record<string, string>>): string => {
  const members = Object.entries(settings).map(([name, meaning]) => `  // ${meaning}\n  float ${name};`);
  return [
    `struct ${rule}Settings {`,
    `  static constexpr size_t count = ${members.length};`,
    ...members,
    '};',
    `static_assert(sizeof(${rule}Settings) == ${rule}Settings::count * sizeof(float), "${rule}Settings has no gaps");`,
  ].join('\n');
};
