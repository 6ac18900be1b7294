import { expect, test } from 'vitest';
import { nodeTone, podTone } from './status-tone.ts';

test.each([
  ['Running', '1/1', 'ok'],
  ['Running', '0/1', 'pending'],
  ['Pending', '0/1', 'pending'],
  ['ContainerCreating', '0/1', 'pending'],
  ['Init:0/2', '0/1', 'pending'],
  ['Init:Error', '0/1', 'bad'],
  ['Init:CrashLoopBackOff', '0/1', 'bad'],
  ['CrashLoopBackOff', '0/1', 'bad'],
  ['ImagePullBackOff', '0/1', 'bad'],
  ['Completed', '0/1', 'done'],
  ['Terminating', '1/1', 'leaving'],
])('a Pod that is %s with %s ready is %s', (status, ready, tone) => expect(podTone(status, ready)).toBe(tone));

test.each([
  ['Ready', 'ok'],
  ['Ready,SchedulingDisabled', 'pending'],
  ['NotReady', 'bad'],
  ['Unknown', 'bad'],
])('a Node that is %s is %s', (status, tone) => expect(nodeTone(status)).toBe(tone));
