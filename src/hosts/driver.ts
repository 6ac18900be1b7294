import type { Pump } from '#base/pump.ts';
import type { ClockState } from './control.ts';

/** What the driver needs of the real world. */
export interface DriverHost {
  /** Monotonic wall time, ms. */
  now(): number;
  /** Calls back after `ms` (0: as soon as the host has had its turn); returns a function that cancels. */
  schedule(run: () => void, ms: number): () => void;
}

/** How long the engine keeps the host's thread, wall ms. */
const SLICE_MS = 8;
/** A lag larger than this (a background tab that wakes, a machine that is too slow) is given up, wall ms. */
const MAX_LAG_MS = 500;
/** Even when nothing is due, the clock moves this often, wall ms. */
const IDLE_MS = 100;

/**
 * Maps wall time to virtual time: virtual = wall × speed, in slices. After a pause of the host the catch-up is clamped;
 * a speed that cannot be held is attained as far as it goes, and told.
 */
export class Driver {
  readonly #pump: Pump;
  readonly #host: DriverHost;
  #paused: boolean;
  #speed: number;
  /** The pair of instants that are held to be the same. */
  #anchorWall: number;
  #anchorVirtual: number;
  #cancel: (() => void) | undefined;
  #slicing = false;
  /** Virtual time to which the clock runs as fast as the machine can. */
  #goal: number | undefined;
  #arrivals: (() => void)[] = [];
  #waiting: { turns: number; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #meterWall: number;
  #meterVirtual: number;
  #attained: number;
  #crash: unknown;
  /** Called after a slice in which turns ran, and when the state changes. */
  onState: (() => void) | undefined;
  /** The engine threw: a bug of ours. It never runs again. */
  onCrash: ((error: unknown) => void) | undefined;
  /** Inputs that have not begun; part of the state. */
  waitingInputs: () => number = () => 0;

  constructor(pump: Pump, host: DriverHost, options: { readonly speed?: number; readonly paused?: boolean } = {}) {
    this.#pump = pump;
    this.#host = host;
    this.#speed = options.speed ?? 1;
    this.#paused = options.paused ?? false;
    this.#anchorWall = this.#meterWall = host.now();
    this.#anchorVirtual = this.#meterVirtual = pump.now;
    this.#attained = this.#speed;
    pump.onWork = () => this.#soon(0);
    this.#soon(0);
  }

  get state(): ClockState {
    const next = this.#pump.peek();
    return {
      now: this.#pump.now,
      paused: this.#paused,
      speed: this.#speed,
      attainedSpeed: this.#paused ? 0 : this.#attained,
      ...(this.#goal === undefined ? {} : { advancingTo: this.#goal }),
      turns: this.#pump.turns,
      ...(next ? { next } : {}),
      waitingInputs: this.waitingInputs(),
    };
  }

  /** Brings the clock up to the wall before something from outside is stamped or answered. */
  sync(): void {
    if (!this.#paused && !this.#pump.running) this.#pump.advanceTo(this.#target());
  }

  /** Also ends an {@link advance}. */
  pause(): void {
    this.sync();
    this.#paused = true;
    this.#arrive();
    this.onState?.();
  }

  play(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#anchor();
    this.#soon(0);
    this.onState?.();
  }

  /** Virtual seconds per wall second. */
  setSpeed(speed: number): void {
    this.sync();
    this.#speed = speed;
    this.#attained = speed;
    this.#anchor();
    this.#soon(0);
    this.onState?.();
  }

  /** Runs `turns` turns while paused, moving the clock as far as they need. */
  step(turns: number): Promise<void> {
    this.#paused = true;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ turns, resolve, reject });
      this.#soon(0);
    });
  }

  /**
   * Moves the clock on by `ms` of virtual time as fast as the machine can, in slices; afterwards it goes on, or stays
   * paused, as before. Settles on arrival, or when a pause ends it. While one is under way, another adds to it.
   */
  advance(ms: number): Promise<void> {
    this.sync();
    this.#goal = (this.#goal ?? this.#pump.now) + Math.max(0, ms);
    return new Promise((resolve, reject) => {
      if (this.#crash) return reject(this.#crash as Error);
      this.#arrivals.push(resolve);
      this.#soon(0);
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#pump.onWork = undefined;
    this.#crash ??= new Error('the driver was stopped');
  }

  /** The skip is over: from here on time goes by the wall again. */
  #arrive(): void {
    if (this.#goal === undefined) return;
    this.#goal = undefined;
    this.#anchor();
    for (const resolve of this.#arrivals.splice(0)) resolve();
  }

  #anchor(): void {
    this.#anchorWall = this.#meterWall = this.#host.now();
    this.#anchorVirtual = this.#meterVirtual = this.#pump.now;
  }

  #target(): number {
    return this.#anchorVirtual + (this.#host.now() - this.#anchorWall) * this.#speed;
  }

  #soon(ms: number): void {
    if (this.#slicing || this.#crash) return;
    this.#cancel?.();
    this.#cancel = this.#host.schedule(() => {
      this.#cancel = undefined;
      void this.#slice();
    }, ms);
  }

  async #slice(): Promise<void> {
    if (this.#slicing || this.#crash) return;
    this.#slicing = true;
    const before = this.#pump.turns;
    try {
      if (this.#goal !== undefined) await this.#runToGoal();
      else if (this.#paused) await this.#runSteps();
      else await this.#runToTarget();
    } catch (error) {
      this.#crash = error;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      this.onCrash?.(error);
      return;
    } finally {
      this.#slicing = false;
    }
    // While paused there is something to tell too: that a write waits.
    if (this.#pump.turns !== before || this.#paused || this.#goal !== undefined) this.onState?.();
    if (this.#goal !== undefined) {
      this.#soon(0);
      return;
    }
    if (this.#paused) {
      if (this.#waiting.length) this.#soon(0);
      return;
    }
    const due = this.#pump.nextDue();
    const wait = due === undefined ? IDLE_MS : (due - this.#target()) / this.#speed;
    this.#soon(this.#pump.hasReady ? 0 : Math.max(0, Math.min(IDLE_MS, wait)));
  }

  async #runToGoal(): Promise<void> {
    const started = this.#host.now();
    const goal = this.#goal as number;
    await this.#pump.run({ until: goal, shouldYield: () => this.#host.now() - started >= SLICE_MS });
    // It may have been extended or ended meanwhile.
    if (this.#goal !== undefined && this.#pump.now >= this.#goal && !this.#pump.hasReady) this.#arrive();
  }

  async #runToTarget(): Promise<void> {
    const started = this.#host.now();
    const target = this.#target();
    await this.#pump.run({ until: target, shouldYield: () => this.#host.now() - started >= SLICE_MS });
    const lagMs = (this.#target() - this.#pump.now) / this.#speed;
    if (lagMs > MAX_LAG_MS) {
      this.#anchorVirtual = this.#pump.now;
      this.#anchorWall = this.#host.now();
    }
    const wall = this.#host.now() - this.#meterWall;
    if (wall >= 1000) {
      this.#attained = Math.min(this.#speed, (this.#pump.now - this.#meterVirtual) / wall);
      this.#meterWall += wall;
      this.#meterVirtual = this.#pump.now;
    }
  }

  async #runSteps(): Promise<void> {
    const step = this.#waiting[0];
    if (!step) return;
    const until = this.#pump.hasReady ? this.#pump.now : (this.#pump.nextDue() ?? this.#pump.now);
    const ran = await this.#pump.run({ until, maxTurns: 1 });
    step.turns -= 1;
    if (step.turns <= 0 || ran === 0) {
      this.#waiting.shift();
      step.resolve();
    }
  }
}
