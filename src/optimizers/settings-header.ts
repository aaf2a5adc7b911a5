import { updateSettings } from './update-settings.ts';

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
