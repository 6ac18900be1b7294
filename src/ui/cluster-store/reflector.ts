import type { StatusError } from '#apimachinery/status-error.ts';
import type { ApiClient } from '../session/api-client.ts';
import type { FrameHost } from './batcher.ts';
import { rowsOf, TABLE_TYPE, type Column, type Row, type Table } from './table.ts';

export interface ReflectorSink {
  /** The whole collection: replaces what was known. */
  replaced(rows: readonly Row[], columns: readonly Column[]): void;
  changed(row: Row): void;
  removed(row: Row): void;
  /** The server cannot be reached or refuses; the reflector goes on trying. */
  failed(error: unknown): void;
}

const PAGE_SIZE = 500;
const FIRST_BACK_OFF_MS = 250;
const LAST_BACK_OFF_MS = 2000;

/**
 * Keeps a collection in step with the server: lists in pages, then watches from that version; reconnects with back-off
 * when a watch ends, and lists again when the version is too old (410). Follows client-go's Reflector.
 */
export class Reflector {
  readonly #api: ApiClient;
  readonly #plural: string;
  readonly #path: string;
  readonly #query: string;
  readonly #sink: ReflectorSink;
  readonly #host: FrameHost;
  #columns: readonly Column[] = [];
  #version = '';
  #backOffMs = FIRST_BACK_OFF_MS;
  #release = () => {};
  #stopped = false;

  /** `query` holds further parameters, such as `fieldSelector=…`. */
  constructor(
    api: ApiClient,
    collection: { readonly plural: string; readonly path: string; readonly query?: string },
    sink: ReflectorSink,
    host: FrameHost,
  ) {
    this.#api = api;
    this.#plural = collection.plural;
    this.#path = collection.path;
    this.#query = `includeObject=Object${collection.query ? `&${collection.query}` : ''}`;
    this.#sink = sink;
    this.#host = host;
  }

  start(): this {
    this.#list().catch((error: unknown) => this.#retry(error, () => this.start()));
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#release();
  }

  async #list(): Promise<void> {
    const rows: Row[] = [];
    let next = '';
    do {
      const path = `${this.#path}?${this.#query}&limit=${PAGE_SIZE}${next ? `&continue=${encodeURIComponent(next)}` : ''}`;
      const table = await this.#api.get<Table>(path, TABLE_TYPE);
      if (this.#stopped) return;
      if (!next) this.#columns = table.columnDefinitions ?? [];
      rows.push(...rowsOf(this.#plural, table, this.#columns));
      this.#version = table.metadata?.resourceVersion ?? '';
      next = table.metadata?.continue ?? '';
    } while (next);
    this.#backOffMs = FIRST_BACK_OFF_MS;
    this.#sink.replaced(rows, this.#columns);
    this.#watch();
  }

  #watch(): void {
    const path = `${this.#path}?${this.#query}&watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    let expired = false;
    this.#release = this.#api.stream(
      path,
      {
        line: (line) => {
          const { type, object } = JSON.parse(line) as {
            readonly type: string;
            readonly object: Table & StatusError['status'];
          };
          if (type === 'ERROR') {
            expired = object.code === 410;
            if (!expired) this.#sink.failed(object);
            return;
          }
          this.#backOffMs = FIRST_BACK_OFF_MS;
          this.#event(type, object);
        },
        end: (error) => {
          if (expired || (error as StatusError | undefined)?.code === 410) this.start();
          // After a refusal the list tells what is true now, and that the server is back.
          else this.#retry(error, () => (error === undefined ? this.#watch() : this.start()));
        },
      },
      TABLE_TYPE,
    );
  }

  #event(type: string, table: Table): void {
    // The version is the object's own; a bookmark's is that of its one row, or of the table.
    const version = table.rows?.[0]?.object.metadata.resourceVersion ?? table.metadata?.resourceVersion;
    if (version) this.#version = version;
    if (type === 'BOOKMARK') return;
    for (const row of rowsOf(this.#plural, table, this.#columns)) {
      if (type === 'DELETED') this.#sink.removed(row);
      else this.#sink.changed(row);
    }
  }

  #retry(error: unknown, again: () => void): void {
    if (this.#stopped) return;
    if (error !== undefined) this.#sink.failed(error);
    this.#release = this.#host.after(this.#backOffMs, again);
    this.#backOffMs = Math.min(this.#backOffMs * 2, LAST_BACK_OFF_MS);
  }
}
