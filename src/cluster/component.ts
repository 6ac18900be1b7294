import type { Process } from '#base/pump.ts';

/** A program of the control plane that can be killed and started anew; what it kept in memory is gone then. */
export class Component {
  readonly #parent: Process;
  readonly #name: string;
  readonly #run: (process: Process) => void;
  #process: Process | undefined;
  #lives = 0;

  /** `run` begins a life of it, in a process of its own. */
  constructor(parent: Process, name: string, run: (process: Process) => void) {
    this.#parent = parent;
    this.#name = name;
    this.#run = run;
  }

  get running(): boolean {
    return this.#process?.alive === true;
  }

  start(): void {
    if (this.running) return;
    this.#process = this.#parent.child(this.#name, ++this.#lives);
    this.#run(this.#process);
  }

  /** Ends it where it is, as SIGKILL does. */
  stop(): void {
    this.#process?.exit();
  }
}
