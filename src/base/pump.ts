import { assert } from './assert.ts';
import type { Clock, Timer } from './clock.ts';
import { Fifo } from './fifo.ts';
import { Heap } from './heap.ts';
import type { Rng } from './rng.ts';
import type { Tracer } from './tracer.ts';

/** One turn that the pump ran: for the task log, the determinism hash and the debugger. */
export interface Turn {
  /** Counts from 1 over the life of the pump. */
  readonly number: number;
  readonly time: number;
  readonly process: string;
  readonly name: string;
}

/** Thrown into a caller whose callee does not answer: its process ended before, or does not run, or is out of reach. */
export class ProcessExitedError extends Error {
  override readonly name = 'ProcessExitedError';
}

interface Job {
  readonly process: Process;
  readonly name: string;
  /** Synchronous work; absent for a turn of a task. */
  readonly run?: () => void;
  readonly task?: Task;
  /** Continues the task: its promises settle in the microtasks that follow. */
  readonly resume?: () => void;
}

interface Task {
  readonly process: Process;
  readonly name: string;
}

interface DueTimer extends Job {
  due: number;
  sequence: number;
  stopped: boolean;
}

/** What a suspended process, and those that were suspended with it, would have done meanwhile. */
interface HeldBack {
  jobs: { readonly job: Job; readonly low: boolean }[];
  timers: DueTimer[];
}

/** The outcome of a spawned task, to be joined by another one. */
export interface TaskHandle<T> {
  readonly settled: boolean;
  /** Parks the calling task until this one has settled; rethrows its error. */
  join(): Promise<T>;
}

export interface PumpOptions {
  /** Virtual time at the start, ms since the epoch. */
  readonly epoch: number;
  /**
   * Strict mode hops to the host's task queue after every turn through this function and asserts that nothing else
   * of the engine ran meanwhile. Both modes give the same turns.
   */
  readonly strictHop?: () => Promise<void>;
  /** A task's error that nobody joined. The default rethrows it out of `run`. */
  readonly onError?: (error: unknown, turn: Turn) => void;
}

export interface RunOptions {
  /** Virtual time up to which timers fire; the clock ends there when all is done. */
  readonly until: number;
  /** Stop after so many turns. */
  readonly maxTurns?: number;
  /** Asked between turns; true ends the run early (the host wants its thread back). */
  readonly shouldYield?: () => boolean;
}

/**
 * Runs the engine: one turn after another, timers by (due, sequence), on a virtual clock.
 *
 * A *turn* is a piece of synchronous work, or a task's continuation from one park to the next. Tasks await nothing but
 * primitives that end in {@link Process.park}; so the pump knows, without asking the host's event loop, when a
 * continuation is over.
 * 1. Work that is ready runs in the order in which it became ready; "low" work (takes from work queues) only when no
 *    other is ready, so that deliveries which are due are drained first.
 * 2. The clock moves only when nothing is ready.
 * 3. A process that has exited never runs again; its tasks are abandoned where they parked.
 * 4. What a suspended process would do is held back, and done in the same order when it is resumed.
 */
export class Pump {
  readonly #ready = new Fifo<Job>();
  readonly #low = new Fifo<Job>();
  readonly #timers = new Heap<DueTimer>((a, b) => a.due < b.due || (a.due === b.due && a.sequence < b.sequence));
  readonly #strictHop: (() => Promise<void>) | undefined;
  readonly #onError: (error: unknown, turn: Turn) => void;
  /** What `onError` left to be thrown out of `run`. */
  #failure: { readonly error: unknown } | undefined;
  #now: number;
  #sequence = 0;
  #turns = 0;
  #turnOpen = false;
  #endTurn: (() => void) | undefined;
  #current: Task | undefined;
  #currentJob: Job | undefined;
  #running = false;
  /** Called before each turn; for logs and hashes only. */
  onTurn: ((turn: Turn) => void) | undefined;
  /** Called when a run begins (true) and ends (false); for guards. */
  onRun: ((running: boolean) => void) | undefined;
  /** Called when work becomes ready while the pump does not run: the driver should run it. */
  onWork: (() => void) | undefined;

  constructor(options: PumpOptions) {
    this.#now = options.epoch;
    this.#strictHop = options.strictHop;
    this.#onError =
      options.onError ??
      ((error) => {
        this.#failure ??= { error };
      });
  }

  get now(): number {
    return this.#now;
  }

  /** The number of turns so far; the ordinal that an input is stamped with. */
  get turns(): number {
    return this.#turns;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Whether a turn of the engine is being run right now (as opposed to a call from the host). */
  get inTurn(): boolean {
    return this.#currentJob !== undefined;
  }

  /** Whether something could run without moving the clock. */
  get hasReady(): boolean {
    return this.#ready.size > 0 || this.#low.size > 0;
  }

  /** When the next timer is due; undefined if there is none. */
  nextDue(): number | undefined {
    this.#dropStopped();
    return this.#timers.peek()?.due;
  }

  /**
   * Moves the clock forward while nothing is ready and no timer falls due before `time`; otherwise does nothing: then
   * `run` has work to do first. For hosts, before an input is stamped.
   */
  advanceTo(time: number): void {
    const due = this.nextDue();
    if (!this.#running && !this.hasReady && time > this.#now && (due === undefined || due > time)) this.#now = time;
  }

  /** What would run next, for the debugger. */
  peek(): { readonly process: string; readonly name: string; readonly due: number } | undefined {
    this.#dropStopped();
    const job = this.#firstRunnable(this.#ready, false) ?? this.#firstRunnable(this.#low, true);
    const timer = this.#timers.peek();
    if (job) return { process: job.process.name, name: job.name, due: this.#now };
    return timer && { process: timer.process.name, name: timer.name, due: timer.due };
  }

  /** Runs what is ready and what falls due, up to `until`. Returns the number of turns run. */
  async run(options: RunOptions): Promise<number> {
    assert(!this.#running, 'the pump is already running');
    this.#running = true;
    this.onRun?.(true);
    const first = this.#turns;
    const last = options.maxTurns === undefined ? Number.POSITIVE_INFINITY : first + options.maxTurns;
    try {
      while (this.#turns < last) {
        const job = this.#next(options.until);
        if (!job) break;
        const turn = { number: ++this.#turns, time: this.#now, process: job.process.name, name: job.name };
        this.onTurn?.(turn);
        this.#currentJob = job;
        if (job.run) {
          try {
            job.run();
          } catch (error) {
            this.#onError(error, turn);
          }
        } else {
          this.#turnOpen = true;
          this.#current = job.task;
          (job.resume as () => void)();
          // `park` and the end of the task clear #turnOpen; both happen in microtasks of this very turn.
          if (this.#turnOpen) await new Promise<void>((resolve) => (this.#endTurn = resolve));
          this.#current = undefined;
        }
        this.#currentJob = undefined;
        const failure = this.#failure;
        if (failure) {
          this.#failure = undefined;
          throw failure.error;
        }
        if (this.#strictHop) {
          const ready = this.#sequence;
          await this.#strictHop();
          assert(
            ready === this.#sequence,
            `"${turn.name}" of ${turn.process} went on after its turn had ended: it awaits something that is not the pump's`,
          );
        }
        if (options.shouldYield?.()) return this.#turns - first;
      }
      if (this.#turns < last && options.until > this.#now && !this.hasReady) this.#now = options.until;
      return this.#turns - first;
    } finally {
      this.#running = false;
      this.onRun?.(false);
      this.#current = undefined;
      this.#currentJob = undefined;
      this.#turnOpen = false;
    }
  }

  #next(until: number): Job | undefined {
    for (;;) {
      const ready = this.#ready.shift();
      const job = ready ?? this.#low.shift();
      if (job) {
        if (job.process.runnable) return job;
        job.process.holdJob(job, ready === undefined);
        continue;
      }
      this.#dropStopped();
      const timer = this.#timers.peek();
      if (!timer || timer.due > until) return undefined;
      this.#timers.pop();
      timer.stopped = true;
      if (timer.due > this.#now) this.#now = timer.due;
      return timer;
    }
  }

  #dropStopped(): void {
    for (
      let timer = this.#timers.peek();
      timer && (timer.stopped || !timer.process.runnable);
      timer = this.#timers.peek()
    ) {
      this.#timers.pop();
      if (!timer.stopped) timer.process.holdTimer(timer);
    }
  }

  #firstRunnable(queue: Fifo<Job>, low: boolean): Job | undefined {
    for (let job = queue.peek(); job; job = queue.peek()) {
      if (job.process.runnable) return job;
      queue.shift();
      job.process.holdJob(job, low);
    }
    return undefined;
  }

  /** @internal for {@link Process} */
  enqueue(job: Job, low = false): void {
    this.#sequence++;
    (low ? this.#low : this.#ready).push(job);
    if (!this.#running) this.onWork?.();
  }

  /** @internal for {@link Process} */
  addTimer(due: number, job: Job): DueTimer {
    const timer: DueTimer = { ...job, due: Math.max(due, this.#now), sequence: this.#sequence++, stopped: false };
    this.#timers.push(timer);
    if (!this.#running) this.onWork?.();
    return timer;
  }

  /** @internal for {@link Process}: what was held back goes on; timers that fell due meanwhile fire now, in their order. */
  release({ jobs, timers }: HeldBack): void {
    for (const { job, low } of jobs) this.enqueue(job, low);
    for (const timer of timers.sort((a, b) => a.due - b.due || a.sequence - b.sequence)) {
      if (timer.stopped) continue;
      // Those yet to come may have been held back or not, as it happened that they were looked at: they keep their place.
      if (timer.due < this.#now) {
        timer.due = this.#now;
        timer.sequence = this.#sequence++;
      }
      this.#timers.push(timer);
    }
    if (timers.length > 0 && !this.#running) this.onWork?.();
  }

  /** @internal for {@link Process}: the task whose turn it is. */
  currentTask(): Task {
    assert(
      this.#current,
      `a primitive that parks was called outside a task${this.#currentJob ? ` (in "${this.#currentJob.name}" of ${this.#currentJob.process.name})` : ''}`,
    );
    return this.#current;
  }

  /** @internal for {@link Process}: the running continuation parks or settles here. */
  turnEnds(): void {
    this.#turnOpen = false;
    const end = this.#endTurn;
    this.#endTurn = undefined;
    end?.();
  }

  /** @internal for {@link Process} */
  taskFailed(error: unknown, task: Task): void {
    this.#onError(error, { number: this.#turns, time: this.#now, process: task.process.name, name: task.name });
  }
}

/** What every process is given. */
export interface ProcessOptions {
  readonly pump: Pump;
  readonly rng: Rng;
  readonly tracer: Tracer;
}

/**
 * A program that runs on the pump: a component, a kubelet's container, a shell. It is the only access to time and
 * tasks. `exit` is a SIGKILL: timers and tasks of the process and of its children end where they are, nothing of it
 * runs again, and what registered with `onExit` (watches, listeners, leases held in memory) is released.
 */
export class Process {
  readonly name: string;
  readonly pump: Pump;
  readonly rng: Rng;
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly #children = new Set<Process>();
  readonly #parent: Process | undefined;
  #exitHooks: Set<() => void> | undefined;
  #alive = true;
  /** Alive and not suspended: kept apart, so that the pump asks one question per turn. */
  #runnable = true;
  /** Suspended itself, as opposed to with its parent. */
  #suspended = false;
  #held: HeldBack | undefined;

  constructor(name: string, options: ProcessOptions, parent?: Process) {
    this.name = name;
    this.pump = options.pump;
    this.rng = options.rng;
    this.tracer = options.tracer;
    this.#parent = parent;
    const pump = this.pump;
    this.clock = {
      now: () => pump.now,
      sleep: (ms) => {
        const task = pump.currentTask();
        return this.park((wake) => {
          const timer = pump.addTimer(pump.now + ms, {
            process: task.process,
            name: `${task.name} wakes`,
            run: () => wake(),
          });
          return () => {
            timer.stopped = true;
          };
        });
      },
      afterFunc: (ms, name, run) => this.#timer(ms, name, run),
      ticker: (ms, name, run) => {
        let stopped = false;
        const tick = () => {
          run();
          if (!stopped) timer = this.#timer(ms, name, tick);
        };
        let timer = this.#timer(ms, name, tick);
        return {
          stop: () => {
            stopped = true;
            return timer.stop();
          },
        };
      },
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** @internal for {@link Pump} */
  get runnable(): boolean {
    return this.#runnable;
  }

  /** Whether it, or a process that it is a child of, was suspended and has not been resumed. */
  get suspended(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Stops it as SIGSTOP does, with its children, those that are yet to come too: their turns and timers are held back
   * until {@link resume}. It can be called and can exit meanwhile; a turn that is under way ends first.
   */
  suspend(): void {
    if (this.#suspended || !this.#alive) return;
    this.#suspended = true;
    this.#holdWith({ jobs: [], timers: [] });
  }

  /**
   * Lets it go on, unless it was suspended with its parent too: what was held back runs now, in the order in which it
   * would have run; timers that fell due meanwhile fire once, after what was ready. A child that was suspended itself
   * stays so.
   */
  resume(): void {
    if (!this.#suspended || !this.#alive) return;
    this.#suspended = false;
    const held = this.#held as HeldBack;
    this.#holdWith(this.#parent ? this.#parent.#held : undefined);
    this.pump.release(held);
  }

  #holdWith(held: HeldBack | undefined): void {
    this.#held = held;
    this.#runnable = held === undefined;
    for (const child of this.#children) if (!child.#suspended) child.#holdWith(held);
  }

  /** @internal for {@link Pump}: a turn that may not run now; after the exit, never. */
  holdJob(job: Job, low: boolean): void {
    this.#held?.jobs.push({ job, low });
  }

  /** @internal for {@link Pump} */
  holdTimer(timer: DueTimer): void {
    this.#held?.timers.push(timer);
  }

  /** A process that ends with this one, with random numbers of its own: other ones in each `life` of the same program. */
  child(name: string, life = 1): Process {
    assert(this.#alive, `${this.name} has exited`);
    const rng = this.rng.fork(life === 1 ? name : `${name} ${life}`);
    const child = new Process(name, { pump: this.pump, rng, tracer: this.tracer }, this);
    if (this.#held) child.#holdWith(this.#held);
    this.#children.add(child);
    return child;
  }

  /** Queues a piece of synchronous work; `low` work waits until nothing else is ready. */
  post(name: string, run: () => void, low = false): void {
    if (this.#alive) this.pump.enqueue({ process: this, name, run }, low);
  }

  /** Starts a task. An error that nobody joins goes to the pump's `onError`. */
  spawn<T>(name: string, run: () => Promise<T>): TaskHandle<T> {
    const task: Task = { process: this, name };
    const pump = this.pump;
    let state: { readonly value: T } | { readonly error: unknown } | undefined;
    let joined = false;
    const waiting: (() => void)[] = [];
    const settle = (outcome: NonNullable<typeof state>) => {
      state = outcome;
      for (const wake of waiting) wake();
      if ('error' in outcome && !joined) pump.taskFailed(outcome.error, task);
      pump.turnEnds();
    };
    if (this.#alive) {
      pump.enqueue({
        process: this,
        name,
        task,
        resume: () => {
          run().then(
            (value) => settle({ value }),
            (error: unknown) => settle({ error }),
          );
        },
      });
    }
    return {
      get settled() {
        return state !== undefined;
      },
      join: async () => {
        joined = true;
        if (!state) {
          const caller = pump.currentTask().process;
          await caller.park<void>((wake, fail) => {
            waiting.push(() => wake());
            return this.onExit(() => fail(new ProcessExitedError(`${this.name} has exited`)));
          });
        }
        const outcome = state as NonNullable<typeof state>;
        if ('error' in outcome) throw outcome.error;
        return outcome.value;
      },
    };
  }

  /**
   * Runs `run` as a task of this process on behalf of a task of another one, which parks until the answer is there:
   * the two die independently. Rejects with {@link ProcessExitedError} when this process exits first.
   */
  call<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (!this.#alive) return this.spawn(name, run).join();
    const { pump } = this;
    const caller = pump.currentTask().process;
    // What `spawn` and `join` do, in one step: this is the way of every request.
    return caller.park<T>((wake, fail) => {
      pump.enqueue({
        process: this,
        name,
        task: { process: this, name },
        resume: () => {
          run().then(
            (value) => {
              wake(value);
              pump.turnEnds();
            },
            (error: unknown) => {
              fail(error);
              pump.turnEnds();
            },
          );
        },
      });
      return this.onExit(() => fail(new ProcessExitedError(`${this.name} has exited`)));
    });
  }

  /**
   * Parks the calling task until `wake` or `fail` is called (once; later calls do nothing). `register` may return a
   * function that is called when the task is woken, to release what it registered. `low`: the task goes on only when
   * nothing else is ready.
   */
  park<T>(
    register: (wake: (value: T) => void, fail: (error: unknown) => void) => (() => void) | void,
    low = false,
  ): Promise<T> {
    const pump = this.pump;
    const task = pump.currentTask();
    const promise = new Promise<T>((resolve, reject) => {
      let done = false;
      let release: (() => void) | void;
      const wakeWith = (resume: () => void) => {
        if (done) return;
        done = true;
        release?.();
        pump.enqueue({ process: task.process, name: task.name, task, resume }, low);
      };
      release = register(
        (value) => wakeWith(() => resolve(value)),
        (error) => wakeWith(() => reject(error)),
      );
      if (done) release?.();
    });
    pump.turnEnds();
    return promise;
  }

  /** Calls `hook` when the process exits; returns a function that takes the hook back. */
  onExit(hook: () => void): () => void {
    if (!this.#alive) {
      hook();
      return () => {};
    }
    const hooks = (this.#exitHooks ??= new Set());
    hooks.add(hook);
    return () => hooks.delete(hook);
  }

  /** Ends the process at once, and its children before it. Doing so twice does nothing. */
  exit(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#runnable = false;
    for (const child of this.#children) child.exit();
    if (this.#held) this.#forget(this.#held);
    if (this.#parent) this.#parent.#children.delete(this);
    const hooks = this.#exitHooks;
    this.#exitHooks = undefined;
    if (hooks) for (const hook of hooks) hook();
  }

  #forget(held: HeldBack): void {
    this.#held = undefined;
    held.jobs = held.jobs.filter(({ job }) => job.process !== this);
    held.timers = held.timers.filter(({ process }) => process !== this);
  }

  #timer(ms: number, name: string, run: () => void): Timer {
    if (!this.#alive) return { stop: () => false };
    const timer = this.pump.addTimer(this.pump.now + ms, { process: this, name, run });
    return {
      stop: () => {
        const pending = !timer.stopped;
        timer.stopped = true;
        return pending;
      },
    };
  }
}
