import { patternSource } from '../shell/pattern.ts';
import type { RespValue } from './redis-protocol.ts';

interface Entry {
  readonly value: string | string[];
  /** When it goes, ms since the epoch. */
  readonly expiresAt?: number;
}

/** A connection's state. */
export interface RedisClient {
  database: number;
  authenticated: boolean;
  name: string;
}

/** What commands may look at beside the data. */
export interface RedisHost {
  now(): number;
  /** Settings by name. */
  readonly config: Map<string, string>;
  info(section: string): string;
  /** Saves the data; false when it could not be written. */
  save(inBackground: boolean): boolean;
  shutdown(save: boolean): void;
}

interface Command {
  /** How many words with the command's name; negative: at least so many. */
  readonly arity: number;
  readonly writes?: boolean;
  run(store: RedisStore, args: readonly string[], client: RedisClient): RespValue;
}

class CommandError extends Error {
  override readonly name = 'CommandError';
}

const OK = { simple: 'OK' } as const;
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const SYNTAX = 'ERR syntax error';
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const DATABASES = 16;
const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

/** The data of a redis server: strings and lists, with times to live, and the commands on them. */
export class RedisStore {
  readonly host: RedisHost;
  /** Changes since the last save. */
  changes = 0;
  commands = 0;
  hits = 0;
  misses = 0;
  /** Told after each command that changed something. */
  onChange: (() => void) | undefined;
  readonly #databases = Array.from({ length: DATABASES }, () => new Map<string, Entry>());

  constructor(host: RedisHost) {
    this.host = host;
  }

  /** Answers one command. */
  execute(words: readonly string[], client: RedisClient): RespValue {
    const [given = '', ...args] = words;
    const name = given.toLowerCase();
    const command = COMMANDS[name];
    this.commands++;
    if (!command) {
      if (NOT_EMULATED.includes(name)) return { error: `ERR the command '${name}' is not emulated in this cluster` };
      const quoted = args.map((arg) => `'${arg}' `).join('');
      return {
        error: `ERR unknown command '${given.slice(0, 128)}', with args beginning with: ${quoted.slice(0, 128)}`,
      };
    }
    if (command.arity < 0 ? words.length < -command.arity : words.length !== command.arity)
      return { error: `ERR wrong number of arguments for '${name}' command` };
    if (!client.authenticated && !['auth', 'quit', 'hello'].includes(name))
      return { error: 'NOAUTH Authentication required.' };
    try {
      const before = this.changes;
      const value = command.run(this, args, client);
      if (this.changes !== before) this.onChange?.();
      return value;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { error: error.message };
    }
  }

  /** The live entry of a key. */
  get(client: RedisClient, key: string): Entry | undefined {
    const data = this.data(client);
    const entry = data.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.host.now()) return entry;
    data.delete(key);
    return undefined;
  }

  /** The string of a key; null if it is not there. */
  text(client: RedisClient, key: string): string | null {
    const entry = this.get(client, key);
    if (entry) this.hits++;
    else this.misses++;
    if (Array.isArray(entry?.value)) throw new CommandError(WRONG_TYPE);
    return (entry?.value as string | undefined) ?? null;
  }

  list(client: RedisClient, key: string): string[] | undefined {
    const entry = this.get(client, key);
    if (typeof entry?.value === 'string') throw new CommandError(WRONG_TYPE);
    return entry?.value;
  }

  put(client: RedisClient, key: string, value: string | string[], expiresAt?: number): void {
    this.data(client).set(key, { value, ...(expiresAt === undefined ? {} : { expiresAt }) });
    this.changes++;
  }

  remove(client: RedisClient, key: string): boolean {
    const there = this.get(client, key) !== undefined;
    if (there) {
      this.data(client).delete(key);
      this.changes++;
    }
    return there;
  }

  /** What is alive, by key. */
  live(client: RedisClient): readonly [string, Entry][] {
    return [...this.data(client)].filter(([key]) => this.get(client, key));
  }

  data(client: { readonly database: number }): Map<string, Entry> {
    return this.#databases[client.database] as Map<string, Entry>;
  }

  clear(databases: readonly number[]): void {
    for (const database of databases) {
      this.changes += this.data({ database }).size;
      this.data({ database }).clear();
    }
  }

  /** Lines of INFO's keyspace section. */
  get keyspace(): string {
    return this.#databases
      .flatMap(({ size }, database) => {
        if (size === 0) return [];
        const live = this.live({ database, authenticated: true, name: '' });
        const expires = live.filter(([, { expiresAt }]) => expiresAt !== undefined).length;
        return live.length > 0 ? [`db${database}:keys=${live.length},expires=${expires},avg_ttl=0\r\n`] : [];
      })
      .join('');
  }

  get size(): number {
    return this.#databases.reduce((sum, { size }) => sum + size, 0);
  }

  /** All data as text, and back. */
  dump(): string {
    return JSON.stringify(this.#databases.map((data) => [...data]));
  }

  load(text: string): void {
    for (const [i, entries] of (JSON.parse(text) as [string, Entry][][]).entries())
      for (const [key, entry] of entries) this.#databases[i]?.set(key, entry);
  }
}

function integer(text: string, problem = NOT_INTEGER): bigint {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) throw new CommandError(problem);
  const value = BigInt(text);
  if (value < INT64.least || value > INT64.most) throw new CommandError(problem);
  return value;
}

function add(store: RedisStore, client: RedisClient, key: string, by: bigint): bigint {
  const sum = integer(store.text(client, key) ?? '0') + by;
  if (sum < INT64.least || sum > INT64.most) throw new CommandError('ERR increment or decrement would overflow');
  store.put(client, key, String(sum), store.get(client, key)?.expiresAt);
  return sum;
}

function set(store: RedisStore, [key = '', value = '', ...options]: readonly string[], client: RedisClient): RespValue {
  let expiresAt: number | undefined;
  let only: string | undefined;
  let get = false;
  const before = store.get(client, key);
  for (let i = 0; i < options.length; i++) {
    const option = (options[i] as string).toUpperCase();
    if (option === 'NX' || option === 'XX') only = option;
    else if (option === 'GET') get = true;
    else if (option === 'KEEPTTL') expiresAt = before?.expiresAt;
    else if (option === 'EX' || option === 'PX') {
      const amount = Number(integer(options[++i] ?? ''));
      if (amount <= 0) throw new CommandError("ERR invalid expire time in 'set' command");
      expiresAt = store.host.now() + amount * (option === 'EX' ? 1000 : 1);
    } else throw new CommandError(SYNTAX);
  }
  const old = get ? store.text(client, key) : null;
  if ((only === 'NX' && before) || (only === 'XX' && !before)) return old;
  store.put(client, key, value, expiresAt);
  return get ? old : OK;
}

function expire(unitMs: number, name: string): Command['run'] {
  return (store, [key = '', amount = ''], client) => {
    const ms = Number(integer(amount)) * unitMs;
    const entry = store.get(client, key);
    if (!Number.isSafeInteger(ms)) throw new CommandError(`ERR invalid expire time in '${name}' command`);
    if (!entry) return 0;
    if (ms <= 0) store.remove(client, key);
    else store.put(client, key, entry.value, store.host.now() + ms);
    return 1;
  };
}

function timeToLive(unitMs: number): Command['run'] {
  return (store, [key = ''], client) => {
    const entry = store.get(client, key);
    if (!entry) return -2;
    return entry.expiresAt === undefined ? -1 : Math.round((entry.expiresAt - store.host.now()) / unitMs);
  };
}

function push(atEnd: boolean): Command['run'] {
  return (store, [key = '', ...values], client) => {
    const before = store.list(client, key) ?? [];
    const next = atEnd ? [...before, ...values] : [...values.reverse(), ...before];
    store.put(client, key, next, store.get(client, key)?.expiresAt);
    return next.length;
  };
}

function pop(atEnd: boolean): Command['run'] {
  return (store, [key = ''], client) => {
    const list = store.list(client, key);
    if (!list) return null;
    const left = atEnd ? list.slice(0, -1) : list.slice(1);
    const value = (atEnd ? list.at(-1) : list[0]) as string;
    if (left.length > 0) store.put(client, key, left, store.get(client, key)?.expiresAt);
    else store.remove(client, key);
    return value;
  };
}

function matching(names: Iterable<string>, pattern: string): string[] {
  const regex = new RegExp(`^${patternSource(pattern)}$`);
  return [...names].filter((name) => regex.test(name));
}

function config(store: RedisStore, [action = '', ...args]: readonly string[]): RespValue {
  const { config: settings } = store.host;
  if (action.toLowerCase() === 'get' && args.length > 0)
    return args
      .flatMap((pattern) => matching(settings.keys(), pattern.toLowerCase()))
      .flatMap((name) => [name, settings.get(name) as string]);
  if (action.toLowerCase() === 'set' && args.length === 2) {
    const [name = '', value = ''] = args;
    if (!settings.has(name.toLowerCase()))
      return { error: `ERR Unknown option or number of arguments for CONFIG SET - '${name}'` };
    settings.set(name.toLowerCase(), value);
    return OK;
  }
  return action.toLowerCase() === 'resetstat'
    ? OK
    : { error: `ERR unknown subcommand or wrong number of arguments for '${action}'. Try CONFIG HELP.` };
}

function clientCommand(_: RedisStore, [action = '', value = '']: readonly string[], client: RedisClient): RespValue {
  switch (action.toLowerCase()) {
    case 'setname':
      client.name = value;
      return OK;
    case 'getname':
      return client.name || null;
    case 'setinfo':
      return OK;
    default:
      return { error: `ERR unknown subcommand '${action}'. Try CLIENT HELP.` };
  }
}

const COMMANDS: Readonly<Record<string, Command>> = Object.assign(Object.create(null), {
  append: {
    arity: 3,
    run: (store, [key = '', value = ''], client) => {
      const text = (store.text(client, key) ?? '') + value;
      store.put(client, key, text, store.get(client, key)?.expiresAt);
      return text.length;
    },
  },
  auth: {
    arity: -2,
    run: (store, args, client) => {
      const password = store.host.config.get('requirepass');
      if (!password)
        return {
          error:
            'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
        };
      if (args.at(-1) !== password) return { error: 'WRONGPASS invalid username-password pair or user is disabled.' };
      client.authenticated = true;
      return OK;
    },
  },
  bgsave: {
    arity: -1,
    run: (store) => (store.host.save(true) ? { simple: 'Background saving started' } : { error: 'ERR' }),
  },
  client: { arity: -2, run: clientCommand },
  command: { arity: -1, run: () => [] },
  config: { arity: -2, run: config },
  dbsize: { arity: 1, run: (store, _, client) => store.live(client).length },
  decr: { arity: 2, run: (store, [key = ''], client) => add(store, client, key, -1n) },
  decrby: { arity: 3, run: (store, [key = '', by = ''], client) => add(store, client, key, -integer(by)) },
  del: { arity: -2, run: (store, keys, client) => keys.filter((key) => store.remove(client, key)).length },
  echo: { arity: 2, run: (_, [text = '']) => text },
  exists: { arity: -2, run: (store, keys, client) => keys.filter((key) => store.get(client, key)).length },
  expire: { arity: -3, run: expire(1000, 'expire') },
  flushall: {
    arity: -1,
    run: (store) => {
      store.clear(Array.from({ length: DATABASES }, (_, i) => i));
      return OK;
    },
  },
  flushdb: {
    arity: -1,
    run: (store, _, { database }) => {
      store.clear([database]);
      return OK;
    },
  },
  get: { arity: 2, run: (store, [key = ''], client) => store.text(client, key) },
  incr: { arity: 2, run: (store, [key = ''], client) => add(store, client, key, 1n) },
  incrby: { arity: 3, run: (store, [key = '', by = ''], client) => add(store, client, key, integer(by)) },
  info: { arity: -1, run: (store, [section = '']) => store.host.info(section.toLowerCase()) },
  keys: {
    arity: 2,
    run: (store, [pattern = ''], client) =>
      matching(
        store.live(client).map(([key]) => key),
        pattern,
      ),
  },
  llen: { arity: 2, run: (store, [key = ''], client) => store.list(client, key)?.length ?? 0 },
  lpop: { arity: 2, run: pop(false) },
  lpush: { arity: -3, run: push(false) },
  lrange: {
    arity: 4,
    run: (store, [key = '', from = '', to = ''], client) => {
      const list = store.list(client, key) ?? [];
      const place = (text: string) => {
        const at = Number(integer(text));
        return at < 0 ? Math.max(0, list.length + at) : at;
      };
      const last = Number(integer(to));
      return last < -list.length ? [] : list.slice(place(from), place(to) + 1);
    },
  },
  mget: {
    arity: -2,
    run: (store, keys, client) =>
      keys.map((key) => {
        const value = store.get(client, key)?.value;
        return typeof value === 'string' ? value : null;
      }),
  },
  mset: {
    arity: -3,
    run: (store, args, client) => {
      if (args.length % 2 === 1) return { error: "ERR wrong number of arguments for 'mset' command" };
      for (let i = 0; i < args.length; i += 2) store.put(client, args[i] as string, args[i + 1] as string);
      return OK;
    },
  },
  persist: {
    arity: 2,
    run: (store, [key = ''], client) => {
      const entry = store.get(client, key);
      if (entry?.expiresAt === undefined) return 0;
      store.put(client, key, entry.value);
      return 1;
    },
  },
  pexpire: { arity: -3, run: expire(1, 'pexpire') },
  ping: { arity: -1, run: (_, [text]) => text ?? { simple: 'PONG' } },
  pttl: { arity: 2, run: timeToLive(1) },
  quit: { arity: -1, run: () => OK },
  rpop: { arity: 2, run: pop(true) },
  rpush: { arity: -3, run: push(true) },
  save: { arity: 1, run: (store) => (store.host.save(false) ? OK : { error: 'ERR' }) },
  select: {
    arity: 2,
    run: (_, [number = ''], client) => {
      const database = Number(integer(number, 'ERR invalid DB index'));
      if (database < 0 || database >= DATABASES) return { error: 'ERR DB index is out of range' };
      client.database = database;
      return OK;
    },
  },
  set: { arity: -3, run: set },
  setex: {
    arity: 4,
    run: (store, [key = '', seconds = '', value = ''], client) => set(store, [key, value, 'EX', seconds], client),
  },
  setnx: { arity: 3, run: (store, args, client) => (set(store, [...args, 'NX'], client) === null ? 0 : 1) },
  shutdown: {
    arity: -1,
    run: (store, [how = '']) => {
      store.host.shutdown(how.toLowerCase() !== 'nosave');
      return { error: 'ERR Errors trying to SHUTDOWN. Check logs.' };
    },
  },
  strlen: { arity: 2, run: (store, [key = ''], client) => (store.text(client, key) ?? '').length },
  time: {
    arity: 1,
    run: (store) => {
      const now = store.host.now();
      return [String(Math.floor(now / 1000)), String(Math.round((now % 1000) * 1000))];
    },
  },
  ttl: { arity: 2, run: timeToLive(1000) },
  type: {
    arity: 2,
    run: (store, [key = ''], client) => {
      const value = store.get(client, key)?.value;
      return { simple: value === undefined ? 'none' : typeof value === 'string' ? 'string' : 'list' };
    },
  },
  unlink: { arity: -2, run: (store, keys, client) => keys.filter((key) => store.remove(client, key)).length },
} satisfies Record<string, Command>);

/** Commands of the real server that this one owns up to not having. */
const NOT_EMULATED =
  'acl bitcount blpop brpop brpoplpush bgrewriteaof cluster copy debug discard dump eval evalsha exec expireat geoadd getdel getex getrange getset hdel hello hexists hget hgetall hincrby hkeys hlen hmget hmset hset hvals incrbyfloat latency lindex linsert lmove lrem lset ltrim memory monitor move multi object pfadd pfcount psubscribe publish pubsub randomkey rename renamenx replicaof restore role rpoplpush sadd scan scard script sdiff setbit setrange sinter sismember slaveof slowlog smembers sort spop srem subscribe sunion swapdb touch unsubscribe unwatch wait watch xadd xlen xrange xread zadd zcard zincrby zrange zrank zrem zscore'.split(
    ' ',
  );
