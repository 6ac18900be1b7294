import type { Clock } from '#base/clock.ts';
import { TokenBucket } from '#client/rate-limiter.ts';

const QPS = 20;
const BURST = 30;

/**
 * How many requests a controller's client makes in a second: kube-controller-manager's `--kube-api-qps` and
 * `--kube-api-burst` with v1.33's defaults. Controllers that rewrite large objects for each small change keep to it, so that
 * many changes become one.
 */
export class RequestLimit {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, QPS, BURST);
  }

  /** Parks the calling task until it may make one request. */
  async wait(): Promise<void> {
    const ms = this.#bucket.reserve();
    if (ms > 0) await this.#clock.sleep(ms);
  }
}
