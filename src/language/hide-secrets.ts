import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import { hideSecret, holdsSecret, isSecretName, keepUserInfo } from '../system/secrets.ts';
import type { Located } from './located.ts';

/**
 * Hides the secrets that a spec holds, so that no record of it has them: values whose key is named as secrets are, and
 * passwords in addresses. Under `tracking` that is enough; elsewhere a secret would become a part of the run's record,
 * which is an error.
 */
export const hideNamedSecrets = (root: Located): readonly Diagnostic[] => {
  hideIn(root, '');
  return recordedSecrets(root);
};

const hideIn = (node: Located, key: string): void => {
  switch (node.kind) {
    case 'scalar':
      if (typeof node.value !== 'string') return;
      keepUserInfo(node.value);
      if (isSecretName(key)) hideSecret(node.value);
      return;
    case 'list':
      for (const item of node.items) hideIn(item, key);
      return;
    case 'map':
      for (const [name, { value }] of node.entries) hideIn(value, name);
  }
};

const recordedSecrets = (root: Located): readonly Diagnostic[] => {
  const found: Diagnostic[] = [];
  const visit = (node: Located, depth: number): void => {
    switch (node.kind) {
      case 'scalar':
        if (typeof node.value === 'string' && holdsSecret(node.value)) addDiagnostic(found, recordedAt(node));
        return;
      case 'list':
        for (const item of node.items) visit(item, depth + 1);
        return;
      case 'map':
        for (const [key, { value }] of node.entries)
          if (depth > 0 || key !== 'tracking') visit(value, depth + 1);
    }
  };
  visit(root, 0);
  return found;
};

const recordedAt = ({ at }: Located): Diagnostic => ({
  code: 'not-allowed',
  severity: 'error',
  message: 'This value is a secret, and the spec is recorded.',
  at,
  expected: 'a value that may be recorded with each run and sent to MLflow',
  got: 'a password, token or key',
  help: 'Remove it here. Code that needs it can read it from the environment.',
});
