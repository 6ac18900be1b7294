/** What a plugin says when it does not simply agree. Follows scheduler/framework/interface.go, v1.33. */
export type StatusCode =
  | 'Error'
  /** The Pod does not fit now; deleting Pods might help. */
  | 'Unschedulable'
  /** The Pod does not fit, and preemption cannot help. */
  | 'UnschedulableAndUnresolvable'
  /** The plugin has nothing to say about this Pod. */
  | 'Skip'
  /** The plugin waits for something of its own. */
  | 'Pending';

/** Undefined stands for success. */
export interface Status {
  readonly code: StatusCode;
  /** What the Pod's condition and Event say. */
  readonly reasons: readonly string[];
  /** Filled in by the framework. */
  readonly plugin?: string;
}

export const SKIP: Status = { code: 'Skip', reasons: [] };

export function unschedulable(...reasons: readonly string[]): Status {
  return { code: 'Unschedulable', reasons };
}

export function unresolvable(...reasons: readonly string[]): Status {
  return { code: 'UnschedulableAndUnresolvable', reasons };
}

export function errorStatus(message: string): Status {
  return { code: 'Error', reasons: [message] };
}

/** Whether the Pod was turned down, as opposed to something having gone wrong. */
export function isRejected({ code }: Status): boolean {
  return code === 'Unschedulable' || code === 'UnschedulableAndUnresolvable' || code === 'Pending';
}

/** The reasons as one text. */
export function statusMessage({ reasons }: Status): string {
  return reasons.join(', ');
}
