/** How a status is coloured and worded to assistive technology: one tone for each meaning. */
export type Tone = 'ok' | 'pending' | 'bad' | 'done' | 'leaving';

const PENDING = /^(Pending|ContainerCreating|PodInitializing|Init:\d+\/\d+|SchedulingGated|NotReady,.*|Unknown)$/;
const DONE = /^(Completed|Succeeded)$/;

/** The tone of the text under STATUS. `ready` is the text under READY (`1/1`), where the kind has it. */
export function podTone(status: string, ready?: string): Tone {
  if (status === 'Terminating') return 'leaving';
  if (DONE.test(status)) return 'done';
  if (PENDING.test(status)) return 'pending';
  if (status !== 'Running') return 'bad';
  const [have, want] = (ready ?? '').split('/');
  return have === want ? 'ok' : 'pending';
}

/** The tone of a Node's STATUS, such as `Ready` or `NotReady,SchedulingDisabled`. */
export function nodeTone(status: string): Tone {
  const [ready, ...more] = status.split(',');
  if (ready !== 'Ready') return 'bad';
  return more.length > 0 ? 'pending' : 'ok';
}
