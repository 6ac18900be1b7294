import { expect, test } from 'vitest';
import { objectDiff, yamlOf, yamlTokens } from './object-text.ts';

const pod = (phase: string, nodeName?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'nginx', namespace: 'default', managedFields: [{ manager: 'kubectl' }] },
  spec: { a: 1, b: 2, c: 3, d: 4, e: 5, ...(nodeName ? { nodeName } : {}) },
  status: { phase },
});

test('YAML leaves managedFields out unless asked', () => {
  expect(yamlOf(pod('Pending'))).not.toContain('managedFields');
  expect(yamlOf(pod('Pending'), undefined, true)).toContain('manager: kubectl');
  expect(yamlOf({ metadata: { name: 'x' } }, { apiVersion: 'v1', kind: 'Pod' })).toBe(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n',
  );
});

test('a diff shows what changed with a little around it', () => {
  const lines = objectDiff(pod('Pending'), pod('Running', 'node-1')).map(
    ({ change, text }) => `${change[0]} ${text.trim()}`,
  );
  expect(lines).toEqual([
    's 9',
    's d: 4',
    's e: 5',
    'a nodeName: node-1',
    's status:',
    'r phase: Pending',
    'a phase: Running',
  ]);
  expect(objectDiff(undefined, pod('Pending')).every(({ change }) => change === 'added')).toBe(true);
});

test.each([
  ['metadata:', 'key'],
  ['  name: nginx', 'mark key mark value'],
  ['- containerPort: 80', 'mark key mark number'],
  ['  image: "nginx: 1"', 'mark key mark text'],
  ['    some text', 'mark value'],
])('%s', (line, kinds) => {
  const tokens = yamlTokens(line);
  expect(tokens.map(({ kind }) => kind).join(' ')).toBe(kinds);
  expect(tokens.map(({ text }) => text).join('')).toBe(line);
});
