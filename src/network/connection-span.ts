import type { SpanAttributes, SpanId, Tracer } from '#base/tracer.ts';

/**
 * The span of one TCP connection or one UDP exchange, from the dialling to the close. Attributes: `protocol`, `to`,
 * `service`, `via`, `endpoint`, `target`, `probe`, `outcome` (connected, refused, rejected, dropped, unreachable, timeout,
 * reset), and what the two sides say of what they talk about: `method`, `path`, `status`, `query`, `rcode`.
 */
export class ConnectionSpan {
  readonly #tracer: Tracer;
  readonly #id: SpanId;
  #ended = false;

  constructor(tracer: Tracer, dialler: string, dialled: string, attributes: SpanAttributes) {
    this.#tracer = tracer;
    this.#id = tracer.start('connection', dialler, dialled, 0, attributes);
  }

  /** Adds facts while the connection is open; later ones do not count. */
  note(attributes: SpanAttributes): void {
    if (!this.#ended) this.#tracer.annotate(this.#id, attributes);
  }

  /** Doing so twice does nothing. */
  end(attributes?: SpanAttributes): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tracer.end(this.#id, attributes);
  }
}
