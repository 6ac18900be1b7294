import type { Inbox } from './inbox.ts';

/** A part of the cluster that can be made to fail, as it is now. */
export interface Fault {
  /** Such as `kube-scheduler`, `nodes/node-1`, `pods/default/web`. */
  readonly target: string;
  readonly state: string;
  /** What it can be set to; `running` first. */
  readonly states: readonly string[];
}

/** A part, with what makes it fail and what makes it run again. */
export interface FaultPart extends Fault {
  /** Called in a task. Throws {@link FaultError} when something stands in its way. */
  set(state: string): void;
}

/** Why a part cannot be set to a state, for people. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** Where the parts come from. */
export interface FaultSource {
  /** Those that {@link Faults.list} shows. */
  all(): readonly FaultPart[];
  /** Any part by its name, also one that is not shown. Throws {@link FaultError}. */
  find(target: string): FaultPart | undefined;
}

/** What fails and what runs. Setting it is an input: logged, traced, and done in a task, in order with all other inputs. */
export class Faults {
  readonly #inbox: Inbox;
  readonly #source: FaultSource;
  readonly #listeners = new Set<(faults: readonly Fault[]) => void>();
  #told = '';

  constructor(inbox: Inbox, source: FaultSource) {
    this.#inbox = inbox;
    this.#source = source;
  }

  list(): readonly Fault[] {
    return this.#source.all().map(({ target, state, states }) => ({ target, state, states }));
  }

  /** Settles when it has been done; rejects with {@link FaultError}. */
  set(target: string, state: string): Promise<void> {
    return this.#inbox.submitFault(target, state, () => {
      const part = this.#source.find(target);
      if (!part) throw new FaultError(`there is no "${target}" in this cluster`);
      if (!part.states.includes(state))
        throw new FaultError(`${target} cannot be "${state}": its states are ${part.states.join(', ')}`);
      if (part.state !== state) part.set(state);
      this.changed();
    });
  }

  /** Something that {@link list} shows may have changed. */
  changed(): void {
    if (this.#listeners.size === 0) return;
    const faults = this.list();
    const text = JSON.stringify(faults);
    if (text === this.#told) return;
    this.#told = text;
    for (const listener of [...this.#listeners]) listener(faults);
  }

  /** Calls back with all faults when one has changed. Returns what takes it back. */
  onChange(listener: (faults: readonly Fault[]) => void): () => void {
    if (this.#listeners.size === 0) this.#told = JSON.stringify(this.list());
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
