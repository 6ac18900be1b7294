import { expect, test } from 'vitest';
import { prepared } from '#testing/kind.ts';
import { pods } from './pod.ts';

test('fields without effect are told', () => {
  const check = (spec: string, ...paths: string[]) =>
    expect(
      pods.notModelled?.(prepared(pods, `metadata: {name: p}\nspec: {containers: [{name: a, image: x}]${spec}}`)),
    ).toEqual(paths.map((path) => `${path}: accepted, but not modelled: it has no effect in this cluster`));
  check('');
  check(', volumes: [{name: a, emptyDir: {}}, {name: b, nfs: {server: s, path: /}}]', 'spec.volumes[1].nfs');
  check(
    ', hostPID: true, securityContext: {runAsUser: 1, fsGroup: 2}, initContainers: [{name: i, image: x, securityContext: {privileged: true}}]',
    'spec.hostPID',
    'spec.securityContext.fsGroup',
    'spec.initContainers[0].securityContext.privileged',
  );
});
