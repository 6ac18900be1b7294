/** Signals by name, without `SIG`. */
export const SIGNALS = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  POLL: 29,
  PWR: 30,
  SYS: 31,
} as const;

/** The name of a signal. */
export type Signal = keyof typeof SIGNALS;

/** Signals that do nothing unless a process handles them; what STOP and CONT do is done before. Terminals stop nothing. */
export const IGNORED_BY_DEFAULT: readonly Signal[] = ['CHLD', 'CONT', 'URG', 'WINCH', 'STOP', 'TSTP', 'TTIN', 'TTOU'];

/** A signal from `TERM`, `SIGTERM`, `sigterm` or `15`; undefined if there is none of this name. */
export function parseSignal(text: string): Signal | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (Object.hasOwn(SIGNALS, name)) return name as Signal;
  return (Object.keys(SIGNALS) as Signal[]).find((signal) => String(SIGNALS[signal]) === text);
}

/** What a shell prints of a child that a signal killed. */
export const SIGNAL_TEXTS: Readonly<Partial<Record<Signal, string>>> = {
  ABRT: 'Aborted',
  ALRM: 'Alarm clock',
  BUS: 'Bus error',
  FPE: 'Floating point exception',
  HUP: 'Hangup',
  ILL: 'Illegal instruction',
  KILL: 'Killed',
  QUIT: 'Quit',
  SEGV: 'Segmentation fault',
  TERM: 'Terminated',
  USR1: 'User defined signal 1',
  USR2: 'User defined signal 2',
};
