import { createConnection, isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type * as Bullmq from 'bullmq';
import type { ChainableCommander, Redis } from 'ioredis';
import { failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { RecordUnreadable } from '../../record/record-unreadable.ts';
import { decoded } from '../../system/decoded.ts';
import { readRegularText } from '../../system/files.ts';
import { hideEnvironment } from '../../system/secrets.ts';

/** The packages that only this executor needs; they are installed by who uses it. */
interface Packages {
  readonly bullmq: Pick<
    typeof Bullmq,
    'Queue' | 'QueueEvents' | 'Worker' | 'UnrecoverableError' | 'WaitingError'
  >;
  readonly Redis: typeof Redis;
}

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: TlsOptions;
}

/** A Redis that answered, that is new enough, and that keeps what it is given. */
export interface RedisServer {
  readonly packages: Packages;
  /** For connections of BullMQ. */
  readonly connection: Connection & {
    readonly maxRetriesPerRequest: null;
    readonly retryStrategy: (times: number) => number;
  };
  /** Our own connection. */
  readonly client: Redis;
  /** What messages call it, without a password. */
  readonly address: string;
}

/** The prefix of all keys, for access rules. */
export const prefix = 'unroll';

const urlVariable = 'UNROLL_REDIS_URL';
const caVariable = 'UNROLL_REDIS_CA';

/** How long submitters and workers wait for the first answer. */
const answerMs = 3000;

/** The longest refusal of Redis has about 1,100 characters. */
const longestAnswer = 10_000;

const oldestVersion = [6, 2] as const;

const installCommand = 'npm install bullmq@6 ioredis@6';

export const problem = (
  message: string,
  details: Pick<Diagnostic, 'expected' | 'got' | 'help'>,
): Diagnostic => ({ code: 'workers', severity: 'error', message, ...details });

const loadPackages = async (): Promise<Result<Packages>> => {
  try {
    const [bullmq, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return success({ bullmq, Redis });
  } catch {
    return failure(
      problem('The packages that connect to Redis are not installed.', {
        expected: 'bullmq and ioredis beside Unroll',
        help: `Run in the folder where Unroll is installed: ${installCommand}`,
      }),
    );
  }
};

interface Target {
  readonly options: Connection;
  readonly address: string;
  readonly isEncrypted: boolean;
}

/** Reads where Redis is from the environment. */
const readTarget = (): Result<Target> => {
  const given = process.env[urlVariable] || 'redis://127.0.0.1:6379';
  hideEnvironment({ [urlVariable]: given });
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    return failure(
      problem(`${urlVariable} is not the address of a Redis server.`, {
        expected: 'redis://USER:PASSWORD@HOST:PORT, or rediss:// with TLS',
        help: `Write, for example: export ${urlVariable}=redis://127.0.0.1:6379`,
      }),
    );
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined)
    return failure(
      problem(`The user or the password in ${urlVariable} is not percent-encoded.`, {
        expected: 'each special character as % and two hexadecimal digits, such as %25 for %',
        help: 'Write % as %25, @ as %40, : as %3A and / as %2F.',
      }),
    );
  const isEncrypted = url.protocol === 'rediss:';
  const ca = process.env[caVariable];
  let authority: string | undefined;
  if (isEncrypted && ca) {
    try {
      authority = readRegularText(ca);
    } catch {
      return failure(
        problem(`${caVariable} names a file that cannot be read: ${ca}.`, {
          expected: 'the certificate of the authority in PEM form',
          help: 'Correct the path, or use NODE_EXTRA_CA_CERTS.',
        }),
      );
    }
  }
  const database = /^\/(\d+)$/.exec(url.pathname)?.[1];
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 6379);
  return success({
    isEncrypted,
    address: `${url.hostname}:${port}`,
    options: {
      host,
      port,
      ...(username !== '' && { username }),
      ...(password !== '' && { password }),
      ...(database !== undefined && { db: Number(database) }),
      ...(isEncrypted && {
        tls: {
          ...(isIP(host) === 0 && { servername: host }),
          ...(authority !== undefined && { ca: authority }),
        },
      }),
    },
  });
};

/** Connects to the Redis of the environment. An error names what is wrong with it within seconds. */
export const openRedis = async (): Promise<Result<RedisServer>> => {
  const target = readTarget();
  if (!target.ok) return target;
  const packages = await loadPackages();
  if (!packages.ok) return packages;
  const { options, address, isEncrypted } = target.value;
  const { Redis } = packages.value;
  // ioredis throws out of reach when a program answers more than it was asked.
  const first = isEncrypted ? '' : await firstWords(options, 'PING\r\n');
  if (isForeign(first)) return failure(notRedis(address, 'an answer to PING that Redis does not give'));
  const tried = new Redis({
    ...options,
    lazyConnect: true,
    connectTimeout: answerMs,
    commandTimeout: answerMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  });
  let cause: unknown;
  tried.on('error', (error: unknown) => (cause ??= error));
  try {
    await tried.connect();
    // Another program may answer with anything.
    const info: unknown = await tried.info();
    await tried.set(`${prefix}:written`, '1', 'EX', 60);
    const wrong = wrongServer(typeof info === 'string' ? info : '', address);
    if (wrong) return failure(wrong);
  } catch (error) {
    const reason = cause ?? error;
    const said = [first, !isEncrypted && isClosing(reason) ? await firstWords(options) : ''];
    const denied = said.find((words) => words.startsWith('-DENIED'));
    return failure(connectionProblem(denied ? new Error(denied.slice(1)) : reason, target.value));
  } finally {
    tried.disconnect();
  }
  const connection = {
    ...options,
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(1000, 50 * 2 ** Math.min(times, 5)),
  };
  const client = new Redis(connection);
  // It reconnects by itself; the listeners of BullMQ show how long it takes.
  client.on('error', () => undefined);
  return success({ packages: packages.value, connection, client, address });
};

const isClosing = (error: unknown): boolean =>
  error instanceof Error && /closed|ECONNRESET|EPIPE/.test(`${error.message} ${codeOf(error)}`);

/**
 * Redis answers PING with one line, `+PONG` or an error, of which only the first part may have arrived; what does not look
 * like its protocol at all is seen later.
 */
const isForeign = (said: string): boolean =>
  /^[$*:_,#!=(%~>]/.test(said) || /^[-+][^\r\n]*[\r\n]+[^\r\n]/.test(said);

/**
 * What a server sends first, asked or by itself: one that refuses other hosts closes the connection before its words are
 * read. Empty where nothing comes within half a second.
 */
const firstWords = ({ host, port }: Connection, question = ''): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ host, port, timeout: 500 });
    const end = () => {
      socket.destroy();
      resolve(text);
    };
    if (question !== '') socket.once('connect', () => socket.write(question));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text = `${text}${part}`.slice(0, longestAnswer);
      if (question !== '') end();
    });
    for (const event of ['end', 'error', 'timeout']) socket.once(event, end);
  });

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

const notRedis = (address: string, got: string): Diagnostic =>
  problem(`What answers at ${address} is not a Redis server.`, {
    expected: 'a Redis server there',
    got,
    help: `Correct the host or the port in ${urlVariable}.`,
  });

const wrongServer = (info: string, address: string): Diagnostic | undefined => {
  const version = field(info, 'redis_version');
  if (version === undefined) return notRedis(address, 'an answer without redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = oldestVersion;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor))
    return problem(`Redis at ${address} is too old.`, {
      expected: `Redis ${oldestVersion.join('.')} or later`,
      got: `Redis ${version}`,
      help: 'Install a newer Redis there.',
    });
  const policy = field(info, 'maxmemory_policy');
  const limit = Number(field(info, 'maxmemory') ?? 0);
  if (limit > 0 && policy !== undefined && policy !== 'noeviction')
    return problem(`Redis at ${address} deletes keys when its memory is full, and would lose runs.`, {
      expected: 'maxmemory-policy noeviction',
      got: `maxmemory-policy ${policy}`,
      help: 'Set it in redis.conf, or with: redis-cli config set maxmemory-policy noeviction',
    });
  return undefined;
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What the first words of an answer mean that refuses a command, and what to do. */
const refusals = {
  WRONGTYPE: {
    what: `has keys that begin with ${prefix}: and are not as Unroll writes them`,
    expected: `a database in which only Unroll writes ${prefix}:*`,
    help: `Use another database of the server: add its number to ${urlVariable}, as in redis://HOST:PORT/1.`,
  },
  OOM: {
    what: 'has no memory left',
    expected: 'memory for the queue and the files of runs',
    help: 'Raise maxmemory in redis.conf, or give all commands and workers the same --store: large files go there then.',
  },
  READONLY: {
    what: 'is a replica, which takes no writes',
    expected: 'the primary server',
    help: `Write the address of the primary into ${urlVariable}.`,
  },
  MISCONF: {
    what: 'cannot write to its disk, and takes no writes',
    expected: 'a server that can save its data',
    help: 'Make room on the disk of the server; its log has more.',
  },
  LOADING: {
    what: 'is still loading its data',
    expected: 'a server that has started',
    help: 'Run the command again in a moment.',
  },
} as const;

const kindsOfRefusal = Object.keys(refusals) as readonly (keyof typeof refusals)[];

/** What to say of keys that others have written. */
export const foreignKeys = (address: string, got: string): Diagnostic => refused(address, 'WRONGTYPE', got);

const refused = (address: string, kind: keyof typeof refusals, got: string): Diagnostic => {
  const { what, expected, help } = refusals[kind];
  return problem(`Redis at ${address} ${what}.`, { expected, got, help });
};

/** Whether a command met a key of another type, or text in the place of a number. */
export const isWrongType = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'ReplyError' &&
  /\bWRONGTYPE\b|not an integer|not a valid float|attempt to /.test(error.message);

/** What is wrong when Redis refuses a command; undefined for any other error. */
export const refusalOf = (error: unknown, address: string): Diagnostic | undefined => {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const got = error.message.slice(0, 200);
  const kind = kindsOfRefusal.find((one) => new RegExp(`\\b${one}\\b`).test(got));
  return kind
    ? refused(address, kind, got)
    : problem(`Redis at ${address} refuses a command.`, {
        expected: `a server as of Redis ${oldestVersion.join('.')}, with the right to use ${prefix}:*`,
        got,
        help: 'Check the server and the rights of its user.',
      });
};

/** Calls what uses Redis; rejects with a diagnostic where Redis refuses a command. */
export const answered = async <T>(
  { address }: Pick<RedisServer, 'address'>,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const refusal = refusalOf(error, address);
    throw refusal ? new RecordUnreadable(refusal) : error;
  }
};

/** Why the connection failed, and what to do. */
const connectionProblem = (error: unknown, { address, isEncrypted }: Target): Diagnostic => {
  const words = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const scheme = isEncrypted ? 'rediss://' : 'redis://';
  const isLoopback = /^(?:127\.|localhost:|\[::1\])/.test(address);
  if (/WRONGPASS|invalid password|invalid username-password/i.test(words))
    return problem(`Redis at ${address} refuses the user or the password.`, {
      expected: `a user and password that it has, in ${urlVariable}`,
      help: `Write them as ${scheme}USER:PASSWORD@${address}; a password with special characters must be percent-encoded.`,
    });
  if (/NOAUTH/.test(words))
    return problem(`Redis at ${address} requires a password, and none is given.`, {
      expected: `a password in ${urlVariable}`,
      help: `Write it as ${scheme}USER:PASSWORD@${address}, or ${scheme}:PASSWORD@${address} for the default user.`,
    });
  if (/NOPERM/.test(words))
    return problem(`The user has too few rights on Redis at ${address}.`, {
      expected: `the rights ~${prefix}:* &${prefix}:* +@all -@dangerous +info`,
      got: words,
      help: 'Give the user these rights in the ACL of Redis.',
    });
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code))
    return problem(`The certificate of Redis at ${address} is not trusted.`, {
      expected: 'a certificate of an authority that this machine trusts, for this host',
      got: words,
      help: `Set ${caVariable} (or NODE_EXTRA_CA_CERTS) to the authority's certificate in PEM form.`,
    });
  if (/wrong version number|packet length too long|EPROTO|ERR_SSL/i.test(`${words} ${code}`))
    return problem(`Redis at ${address} does not speak TLS.`, {
      expected: 'a port with TLS (tls-port in redis.conf)',
      help: `Write redis:// instead of rediss://, or the port that has TLS.`,
    });
  if (/ENOTFOUND|EAI_AGAIN/.test(code))
    return problem(`There is no host of the address ${address}.`, {
      expected: `the address of a Redis server in ${urlVariable}`,
      help: 'Correct the name of the host.',
    });
  if (/Unknown RESP type|Maximum call stack/.test(words)) return notRedis(address, words);
  if (code === 'ECONNREFUSED')
    return problem(`No Redis answers at ${address}.`, {
      expected: 'a Redis server there',
      help: isLoopback
        ? `Start one (redis-server), or set ${urlVariable} to its address.`
        : `Start one there (redis-server). One that runs there may listen on its own host only: write \`bind * -::*\` and \`requirepass PASSWORD\` into its redis.conf, and restart it.`,
    });
  if (/^DENIED/.test(words))
    return problem(`Redis at ${address} has no password, so it serves its own host only.`, {
      expected: 'a Redis server with a password',
      got: words.slice(0, 200),
      help: `Write \`requirepass PASSWORD\` into its redis.conf, restart it, and write the address as ${scheme}:PASSWORD@${address}.`,
    });
  if (/closed|ECONNRESET|EPIPE|timed out|ETIMEDOUT|Protocol error/i.test(`${words} ${code}`))
    return problem(
      `Redis at ${address} does not answer; it may ${isEncrypted ? 'not have' : 'require'} TLS.`,
      {
        expected: 'an answer within 3 s',
        got: words,
        help: isEncrypted
          ? `If the port has no TLS, write redis:// instead of rediss:// in ${urlVariable}. Otherwise check the address and the firewall.`
          : `If the port has TLS, write rediss:// instead of redis:// in ${urlVariable}. Otherwise check the address and the firewall.`,
      },
    );
  return (
    refusalOf(error, address) ??
    problem(`Redis at ${address} does not answer.`, {
      expected: 'an answer within 3 s',
      got: words,
      help: 'Check the address and the firewall.',
    })
  );
};

/** Sends commands together and returns the answers. Rejects with the first refusal: a pipeline itself only lists them. */
export const allDone = async (commands: ChainableCommander): Promise<readonly unknown[]> => {
  const answers = (await commands.exec()) ?? [];
  for (const [error] of answers) if (error) throw error;
  return answers.map(([, answer]) => answer);
};
