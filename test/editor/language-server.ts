import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';

interface Position {
  readonly line: number;
  readonly character: number;
}

/** What editors show below a text. */
export interface Mistake {
  readonly message: string;
  readonly range: { readonly start: Position; readonly end: Position };
}

export interface Completion {
  readonly label: string;
  readonly detail?: string;
  readonly documentation?: string | { readonly value: string };
}

const settings = {
  yaml: {
    validate: true,
    hover: true,
    completion: true,
    format: { enable: false },
    // Nothing is looked for on the network.
    schemaStore: { enable: false },
    schemas: {},
  },
};

/** The real yaml-language-server over stdio, as an editor drives it. */
export const startLanguageServer = async (root: string) => {
  const program = createRequire(import.meta.url).resolve('yaml-language-server/bin/yaml-language-server');
  const child = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const published = new Map<string, (mistakes: readonly Mistake[]) => void>();
  connection.onNotification(
    'textDocument/publishDiagnostics',
    ({ uri, diagnostics }: { uri: string; diagnostics: readonly Mistake[] }) =>
      published.get(uri)?.(diagnostics),
  );
  connection.onRequest('workspace/configuration', ({ items }: { items: readonly { section?: string }[] }) =>
    items.map(({ section }) => (section === 'yaml' ? settings.yaml : {})),
  );
  connection.onRequest('client/registerCapability', () => null);
  connection.listen();
  const rootUri = pathToFileURL(root).href;
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: 'unroll' }],
    capabilities: {
      textDocument: {
        completion: { completionItem: { documentationFormat: ['markdown', 'plaintext'] } },
        hover: { contentFormat: ['markdown'] },
        publishDiagnostics: {},
      },
      workspace: { configuration: true, didChangeConfiguration: {} },
    },
  });
  await connection.sendNotification('initialized', {});
  await connection.sendNotification('workspace/didChangeConfiguration', { settings });

  let version = 0;
  const uriOf = (path: string) => pathToFileURL(path).href;

  /** Shows a text to the server as the content of a file, which need not exist, and waits for what it says of it. */
  const open = async (path: string, text = readFileSync(path, 'utf8')): Promise<readonly Mistake[]> => {
    const uri = uriOf(path);
    const said = new Promise<readonly Mistake[]>((resolve) => published.set(uri, resolve));
    const textDocument = { uri, languageId: 'yaml', version: ++version, text };
    await connection.sendNotification('textDocument/didOpen', { textDocument });
    const mistakes = await said;
    published.delete(uri);
    return mistakes;
  };

  const close = (path: string) =>
    connection.sendNotification('textDocument/didClose', { textDocument: { uri: uriOf(path) } });

  /** Asks at the place of `|` in a text that stands in a folder. */
  const ask = async <T>(method: string, folder: string, marked: string): Promise<T> => {
    const path = join(folder, `asked-${version}.yaml`);
    const at = marked.indexOf('|');
    await open(path, marked.slice(0, at) + marked.slice(at + 1));
    const before = marked.slice(0, at).split('\n');
    const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
    const answer = await connection.sendRequest<T>(method, { textDocument: { uri: uriOf(path) }, position });
    await close(path);
    return answer;
  };

  return {
    /** What is said of a file, or of a text that stands in a folder. */
    check: (file: string) => open(file),
    checkText: (folder: string, text: string) => open(join(folder, `checked-${version}.yaml`), text),
    /** What is offered at the `|`. */
    complete: async (folder: string, marked: string): Promise<readonly Completion[]> => {
      const answer = await ask<{ items: readonly Completion[] }>('textDocument/completion', folder, marked);
      return answer.items;
    },
    /** The text for the word at the `|`. */
    hover: async (folder: string, marked: string): Promise<string> => {
      const answer = await ask<{ contents: { value: string } } | null>('textDocument/hover', folder, marked);
      return answer?.contents.value ?? '';
    },
    stop: async () => {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      connection.dispose();
      child.kill();
    },
  };
};
