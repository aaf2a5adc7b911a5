import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../../src/tensorflow/install/native-parts.ts';
import type { NativePart } from '../../src/tensorflow/install/native-parts.ts';

const goodSource = `
#include <node_api.h>
#include "tensorflow/c/c_api.h"
NAPI_MODULE_INIT() {
  napi_value result;
  napi_create_int32(env, success(), &result);
  return result;
}
`;

/** A part of one source, written below `folder`: a Node addon that is the number its library answers, or `source`. */
export const fakePart = (
  folder: string,
  part: { readonly name: string; readonly required: boolean; readonly source?: string },
): NativePart => {
  const sources = join(folder, `${part.name}-sources`);
  mkdirSync(sources, { recursive: true });
  writeFileSync(join(sources, 'part.cc'), part.source ?? goodSource);
  return {
    name: part.name,
    folder: sources,
    sources: [{ file: 'part.cc', flags: [] }],
    flags: ['-O0', '-fPIC'],
    includes: [join(packageFolder('node-api-headers'), 'include')],
    linked: true,
    required: part.required,
  };
};
