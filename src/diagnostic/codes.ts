/**
 * Every kind of mistake that Unroll can name, with what it means. A code is stable: scripts and editors may match on
 * it, and `unroll explain CODE` prints its page.
 */
export const diagnosticCodes = {
  'yaml-syntax': 'The file is not valid YAML.',
  'yaml-tab': 'A tab is used for indentation; YAML allows only spaces there.',
  'yaml-duplicate-key': 'The same key stands twice in one mapping.',
  'yaml-alias': 'An alias is unknown, or aliases expand to more than the allowed size.',
  'yaml-tag': 'A YAML tag is used that a spec does not allow.',
  'yaml-documents': 'The file holds more than one YAML document.',
  'file-missing': 'The file does not exist.',
  'file-exists': 'The file exists already, and is never overwritten.',
  'file-unreadable': 'The file exists but cannot be read as a spec (a directory, no permission, not a text).',
  'file-too-large': 'The file is larger than a spec may be.',
  'file-empty': 'The file has no content.',
  'unknown-key': 'A key is not known at this place.',
  'missing-key': 'A required key is missing.',
  'unknown-name': 'A name is not registered.',
  'wrong-type': 'A value has the wrong type.',
  'out-of-range': 'A number, text or list is outside its bounds.',
  'not-allowed': 'A value is not one of the allowed ones.',
  conflict: 'Two settings cannot be used together.',
  'unsupported-version': 'The spec is written for another version of the language.',
  'unknown-axis': 'A sweep axis does not lead to any parameter.',
  'empty-axis': 'A sweep axis has no values.',
  'empty-plan': 'The sweep unrolls into no run at all.',
  'too-many-runs': 'The sweep unrolls into more runs than allowed.',
  'merged-runs': 'Several points of the sweep are the same run and were merged.',
  'unused-rule': 'A rule of the sweep (exclude, when) never applies.',
  'environment-variable': 'A variable named in the spec is not set in the environment.',
  'extends-cycle': 'Specs extend each other in a circle.',
  'bad-data': 'A data file has rows that cannot be used.',
  'data-missing': 'The files of a dataset are not there.',
  'plugin-broken': 'The code of a config, or of a module that it imports, cannot be loaded.',
  'plugin-invalid':
    'A model, dataset or optimizer of a config is not described rightly, or its name is taken.',
  'code-changed': 'The code of a row has changed since the plan was made.',
  'unknown-command': 'The command is not known.',
  'unknown-option': 'The option is not known.',
  'bad-argument': 'An argument of the command line is wrong.',
  'unknown-run': 'No recorded run has this id.',
  'ambiguous-run': 'Several recorded runs start with this id.',
  'damaged-record': 'A file of a recorded run cannot be read.',
  'backend-missing': 'The native TensorFlow back end is not ready.',
  tracking: 'The MLflow server did not take what was sent.',
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
