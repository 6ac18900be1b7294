import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { NetworkError } from '#network/network-error.ts';
import { strftime } from '../os/strftime.ts';
import { findUser } from '../applets/users.ts';
import { FileError } from '../os/file-error.ts';
import { imageDirectory, imageProgram } from '../os/file-node.ts';
import { KERNEL_VERSION, MACHINE } from '../os/kernel.ts';
import { answerLate } from '../os/serve.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';
import { debianFiles } from './common-files.ts';
import { becomes } from './entrypoint.ts';
import { type ImageDefinition, releases } from './image.ts';
import { redisCli } from './redis-cli.ts';
import { encodeResp, RespError, RespReader, splitWords } from './redis-protocol.ts';
import { type RedisClient, RedisStore } from './redis-store.ts';

const VERSION = '7.4.1';
const APPEND_ONLY = 'appendonlydir/appendonly.aof.1.base.rdb';
/** After so many seconds and so many changes the data is saved. */
const SAVE_RULES = [
  [1, 3600],
  [100, 300],
  [10_000, 60],
] as const;

const DEFAULTS: readonly [string, string][] = [
  ['appendfsync', 'everysec'],
  ['appendonly', 'no'],
  ['bind', '* -::*'],
  ['daemonize', 'no'],
  ['databases', '16'],
  ['dbfilename', 'dump.rdb'],
  ['dir', ''],
  ['logfile', ''],
  ['loglevel', 'notice'],
  ['maxclients', '10000'],
  ['maxmemory', '0'],
  ['maxmemory-policy', 'noeviction'],
  ['maxmemory-samples', '5'],
  ['port', '6379'],
  ['protected-mode', 'no'],
  ['requirepass', ''],
  ['save', '3600 1 300 100 60 10000'],
  ['tcp-backlog', '511'],
  ['tcp-keepalive', '300'],
  ['timeout', '0'],
];

const server: Program = async (self) => {
  if (self.args.some((word) => word === '--version' || word === '-v')) {
    await self.print(`Redis server v=${VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0\n`);
    return 0;
  }
  const config = new Map(DEFAULTS);
  config.set('dir', self.cwd);
  const configured = await readConfig(self, config);
  if (configured === undefined) return 1;
  const redis = new RedisServer(self, config);
  return redis.run(configured);
};

/** Takes the settings of a file and of the command line. Whether there were any; undefined after a complaint. */
async function readConfig(self: UnixProcess, config: Map<string, string>): Promise<boolean | undefined> {
  const words = self.args.slice(1);
  const lines: string[] = [];
  const [path] = words;
  if (path !== undefined && !path.startsWith('-')) {
    try {
      lines.push(...decodeUtf8(self.system.files.readFile(path, self.cwd, self.user)).split('\n'));
      words.shift();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await self.print(`Fatal error, can't open config file '${path}': ${error.message}\n`);
      return undefined;
    }
  }
  for (const word of words) {
    if (word.startsWith('--')) lines.push(word.slice(2));
    else if (lines.length > 0) lines.push(`${lines.pop()} ${word === '' ? '""' : word}`);
  }
  for (const [i, line] of lines.entries()) {
    const parts = line.trim().startsWith('#') ? [] : splitWords(line);
    if (parts?.length === 0) continue;
    const [name = '', ...values] = parts ?? [];
    const key = name.toLowerCase();
    if (!config.has(key) || values.length === 0) {
      await self.complain(
        `\n*** FATAL CONFIG FILE ERROR (Redis ${VERSION}) ***\nReading the configuration file, at line ${i + 1}\n>>> '${line}'\nBad directive or wrong number of arguments\n`,
      );
      return undefined;
    }
    config.set(key, key === 'maxmemory' ? bytesOf(values[0] as string) : values.join(' '));
  }
  return lines.length > 0;
}

function bytesOf(text: string): string {
  const match = /^(\d+)(b|k|kb|m|mb|g|gb)?$/i.exec(text);
  if (!match) return text;
  const units: Readonly<Record<string, number>> = { k: 1e3, kb: 2 ** 10, m: 1e6, mb: 2 ** 20, g: 1e9, gb: 2 ** 30 };
  return String(Number(match[1]) * (units[(match[2] ?? 'b').toLowerCase()] ?? 1));
}

/** A running server. What it saves is in a format of its own. */
class RedisServer {
  readonly #self: UnixProcess;
  readonly #config: Map<string, string>;
  readonly #store: RedisStore;
  #clients = 0;
  #connections = 0;
  #savedAt: number;
  #appending = false;

  constructor(self: UnixProcess, config: Map<string, string>) {
    this.#self = self;
    this.#config = config;
    this.#savedAt = self.process.clock.now();
    this.#store = new RedisStore({
      now: () => self.process.clock.now(),
      config,
      info: (section) => this.#info(section),
      save: (inBackground) => this.#save(inBackground),
      shutdown: (save) => this.#shutdown('User requested shutdown...', save),
    });
  }

  async run(configured: boolean): Promise<number> {
    const self = this.#self;
    const port = Number(this.#config.get('port'));
    const pid = self.pid;
    await self.print(
      [
        this.#line('*', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo', 'C'),
        this.#line(
          '*',
          `Redis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=${pid}, just started`,
          'C',
        ),
        configured
          ? this.#line('*', 'Configuration loaded', 'C')
          : this.#line(
              '#',
              'Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf',
              'C',
            ),
        this.#line('*', 'monotonic clock: POSIX clock_gettime'),
        this.#line('*', `Running mode=standalone, port=${port}.`),
      ].join(''),
    );
    try {
      self.system.network.listen(self.process, port, async (connection) => {
        this.#clients++;
        this.#connections++;
        try {
          await this.#serve(connection);
        } finally {
          this.#clients--;
        }
      });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      await self.print(
        this.#line('#', `Warning: Could not create server TCP listening socket *:${port}: bind: ${error.message}`) +
          this.#line('#', 'Failed listening on port 6379 (tcp), aborting.'),
      );
      return 1;
    }
    await self.print(this.#line('*', 'Server initialized'));
    await this.#load();
    await self.print(this.#line('*', 'Ready to accept connections tcp'));
    this.#store.onChange = () => this.#changed();
    for (const signal of ['TERM', 'INT'] as const)
      self.onSignal(signal, () => {
        const seconds = Math.floor(self.process.clock.now() / 1000);
        this.#print(`${pid}:signal-handler (${seconds}) Received SIG${signal} scheduling shutdown...\n`);
        this.#shutdown('User requested shutdown...', this.#config.get('save') !== '' || this.#appendOnly);
      });
    await self.process.park<void>(() => {});
    return 0;
  }

  async #serve(connection: Parameters<Parameters<UnixProcess['system']['network']['listen']>[2]>[0]): Promise<void> {
    const self = this.#self;
    const reader = new RespReader(connection);
    const client: RedisClient = { database: 0, authenticated: this.#config.get('requirepass') === '', name: '' };
    for (;;) {
      let words: readonly string[] | undefined;
      try {
        words = await reader.command();
      } catch (error) {
        if (!(error instanceof RespError)) throw error;
        await connection.write(encodeResp({ error: `ERR ${error.message}` }));
        return;
      }
      if (!words) return;
      if (words.length === 0) continue;
      const pause = self.system.work();
      if (pause) await pause;
      const answer = this.#store.execute(words, client);
      await answerLate(self);
      await connection.write(encodeResp(answer));
      if (words[0]?.toLowerCase() === 'quit') return;
    }
  }

  get #appendOnly(): boolean {
    return this.#config.get('appendonly') === 'yes';
  }

  #path(name: string): string {
    return `${this.#config.get('dir')}/${name}`;
  }

  async #load(): Promise<void> {
    const { files } = this.#self.system;
    const path = this.#path(this.#appendOnly ? APPEND_ONLY : (this.#config.get('dbfilename') as string));
    if (!files.exists(path)) {
      if (this.#appendOnly && this.#write(APPEND_ONLY))
        await this.#self.print(
          this.#line('*', 'Creating AOF base file appendonly.aof.1.base.rdb on server start') +
            this.#line('*', 'Creating AOF incr file appendonly.aof.1.incr.aof on server start'),
        );
      return;
    }
    this.#store.load(decodeUtf8(files.readFile(path)));
    const age = Math.floor((this.#self.process.clock.now() - files.stat(path).mtime) / 1000);
    await this.#self.print(
      [
        this.#line('*', `Loading RDB produced by version ${VERSION}`),
        this.#line('*', `RDB age ${age} seconds`),
        this.#line('*', 'RDB memory usage when created 0.90 Mb'),
        this.#line('*', `Done loading RDB, keys loaded: ${this.#store.size}, keys expired: 0.`),
        this.#line('*', `DB loaded from ${this.#appendOnly ? 'append only file' : 'disk'}: 0.000 seconds`),
      ].join(''),
    );
  }

  /** Sets the alarms of the rules that this change arms. */
  #changed(): void {
    const { clock } = this.#self.process;
    if (this.#appendOnly && !this.#appending) {
      this.#appending = true;
      clock.afterFunc(1000, 'append-only file is written', () => {
        this.#appending = false;
        this.#write(APPEND_ONLY);
      });
    }
    if (this.#config.get('save') === '') return;
    const { changes } = this.#store;
    const rule = SAVE_RULES.find(([count]) => count === changes);
    if (!rule) return;
    const [count, seconds] = rule;
    const since = this.#savedAt;
    clock.afterFunc(Math.max(0, since + seconds * 1000 - clock.now()), 'redis saves', () => {
      if (this.#savedAt !== since || this.#store.changes < count) return;
      this.#print(this.#line('*', `${count} changes in ${seconds} seconds. Saving...`));
      this.#save(true);
    });
  }

  #save(inBackground: boolean): boolean {
    if (inBackground) this.#print(this.#line('*', 'Background saving started by pid 22'));
    const saved = this.#write(this.#config.get('dbfilename') as string);
    if (!saved) return false;
    this.#print(this.#line('*', 'DB saved on disk'));
    if (inBackground) this.#print(this.#line('*', 'Background saving terminated with success'));
    this.#store.changes = 0;
    this.#savedAt = this.#self.process.clock.now();
    return true;
  }

  #write(name: string): boolean {
    const { system, user } = this.#self;
    const path = this.#path(name);
    try {
      const directory = path.slice(0, path.lastIndexOf('/'));
      if (!system.files.exists(directory)) system.files.mkdir(directory, '/', user);
      system.files.writeFile(path, encodeUtf8(this.#store.dump()), '/', user, 0o600);
      return true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#print(
        this.#line(
          '#',
          `Failed opening the temp RDB file temp-1.rdb (in server root dir ${this.#config.get('dir')}) for saving: ${error.message}`,
        ),
      );
      return false;
    }
  }

  #shutdown(why: string, save: boolean): void {
    this.#print(this.#line('*', why));
    if (this.#appendOnly) this.#write(APPEND_ONLY);
    if (save) {
      this.#print(this.#line('*', 'Saving the final RDB snapshot before exiting.'));
      if (!this.#save(false)) {
        this.#print(this.#line('#', "Error trying to save the DB, can't exit."));
        this.#print(this.#line('#', 'Errors trying to shut down the server. Check the logs for more information.'));
        return;
      }
    }
    this.#print(this.#line('#', 'Redis is now ready to exit, bye bye...'));
    this.#self.process.spawn('redis ends', async () => this.#self.exit({ code: 0 }));
  }

  /** Prints in turns of its own, in order: callers cannot wait. */
  #print(text: string): void {
    this.#self.process.spawn('redis logs', () => this.#self.print(text));
  }

  #line(level: '*' | '#', text: string, role: 'C' | 'M' = 'M'): string {
    const now = this.#self.process.clock.now();
    const ms = String(Math.floor(now % 1000)).padStart(3, '0');
    return `${this.#self.pid}:${role} ${strftime('%d %b %Y %H:%M:%S', now)}.${ms} ${level} ${text}\n`;
  }

  #info(section: string): string {
    const { process, pid } = this.#self;
    const store = this.#store;
    const uptime = Math.floor((process.clock.now() - this.#self.startedAt) / 1000);
    const sections: readonly [string, readonly (readonly [string, string | number])[]][] = [
      [
        'Server',
        [
          ['redis_version', VERSION],
          ['redis_mode', 'standalone'],
          ['os', `Linux ${KERNEL_VERSION} ${MACHINE}`],
          ['arch_bits', 64],
          ['process_id', pid],
          ['tcp_port', this.#config.get('port') as string],
          ['uptime_in_seconds', uptime],
          ['uptime_in_days', Math.floor(uptime / 86_400)],
        ],
      ],
      [
        'Clients',
        [
          ['connected_clients', this.#clients],
          ['maxclients', this.#config.get('maxclients') as string],
          ['blocked_clients', 0],
        ],
      ],
      [
        'Persistence',
        [
          ['loading', 0],
          ['rdb_changes_since_last_save', store.changes],
          ['rdb_last_save_time', Math.floor(this.#savedAt / 1000)],
          ['aof_enabled', this.#appendOnly ? 1 : 0],
        ],
      ],
      [
        'Stats',
        [
          ['total_connections_received', this.#connections],
          ['total_commands_processed', store.commands],
          ['keyspace_hits', store.hits],
          ['keyspace_misses', store.misses],
        ],
      ],
      [
        'Replication',
        [
          ['role', 'master'],
          ['connected_slaves', 0],
        ],
      ],
    ];
    const wanted = (name: string) => ['', 'all', 'default', 'everything', name.toLowerCase()].includes(section);
    const texts = sections
      .filter(([name]) => wanted(name))
      .map(([name, facts]) => `# ${name}\r\n${facts.map(([key, value]) => `${key}:${value}\r\n`).join('')}`);
    if (wanted('Keyspace')) texts.push(`# Keyspace\r\n${store.keyspace}`);
    return texts.join('\r\n');
  }
}

/** As its entry point does: redis-server does not run as root. */
function dropRights(self: UnixProcess, args: readonly string[]): void {
  if (args[0] !== 'redis-server' || self.user.uid !== 0) return;
  const redis = findUser(self.system.files, 'redis');
  if (!redis) return;
  const { files } = self.system;
  for (const path of [self.cwd, `${self.cwd}/dump.rdb`]) {
    try {
      if (files.exists(path)) files.chown(path, redis.uid, redis.gid);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }
  self.user = { uid: redis.uid, gid: redis.gid, groups: [redis.gid] };
}

const PREFIXED: Program = (self) => {
  const [script = '', first = '', ...rest] = self.args;
  if (first.startsWith('-') || first.endsWith('.conf')) self.args = [script, 'redis-server', first, ...rest];
  return becomes('redis-server', dropRights)(self);
};

/** redis: a store of keys and values. */
export const redis: ImageDefinition = {
  repository: 'docker.io/library/redis',
  hasTag: releases(
    ['latest'],
    {
      '2.8': 23,
      '3.0': 7,
      '3.2': 12,
      '4.0': 14,
      '5.0': 14,
      '6.0': 20,
      '6.2': 21,
      '7.0': 15,
      '7.2': 12,
      '7.4': 7,
      '8.0': 5,
      '8.2': 3,
    },
    /^(-(alpine|alpine3\.\d\d|bookworm|bullseye|trixie))+$/,
  ),
  sizeBytes: 45_600_000,
  config: {
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['redis-server'],
    env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'GOSU_VERSION=1.17',
      `REDIS_VERSION=${VERSION}`,
    ],
    workingDir: '/data',
  },
  files: () =>
    debianFiles({
      usrLocalBin: {
        'docker-entrypoint.sh': imageProgram(PREFIXED),
        'redis-cli': imageProgram(redisCli),
        'redis-server': imageProgram(server),
      },
      root: { data: imageDirectory({}) },
      passwd: 'redis:x:999:999::/home/redis:/bin/sh\n',
      group: 'redis:x:999:\n',
    }),
};
