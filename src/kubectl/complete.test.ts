import { expect, test } from 'vitest';
import { complete } from './complete.ts';
import { testContext } from '#testing/kubectl-context.ts';

const resource = (name: string, kind: string, scope: string, shortName: string) => ({
  resource: name,
  singularResource: kind.toLowerCase(),
  shortNames: [shortName],
  scope,
  responseKind: { group: '', version: 'v1', kind },
  verbs: ['get', 'list'],
});
const named = (...names: string[]) => ({ items: names.map((name) => ({ metadata: { name } })) });
const context = testContext({
  files: { '/home/pod.yaml': '', '/home/pods/a.yaml': '', '/home/.hidden': '' },
  answers: {
    '/api': {
      kind: 'APIGroupDiscoveryList',
      items: [
        {
          metadata: { name: '' },
          versions: [
            {
              version: 'v1',
              resources: [
                resource('pods', 'Pod', 'Namespaced', 'po'),
                resource('nodes', 'Node', 'Cluster', 'no'),
                resource('namespaces', 'Namespace', 'Cluster', 'ns'),
              ],
            },
          ],
        },
      ],
    },
    '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
    '/api/v1/namespaces': named('default', 'dev'),
    '/api/v1/nodes': named('n1'),
    '/api/v1/namespaces/default/pods': named('nginx', 'node'),
    '/api/v1/namespaces/dev/pods': named('far'),
    '/api/v1/namespaces/default/pods/nginx': { spec: { containers: [{ name: 'web' }, { name: 'side' }] } },
  },
});

const check = (line: string, word: string | undefined, ...candidates: string[]) =>
  test(line, async () => {
    expect(await complete(line, context)).toEqual(word === undefined ? undefined : { word, candidates });
  });

check('kubectl ge', 'ge', 'get');
check('k api-', 'api-', 'api-resources', 'api-versions');
check('k config use', 'use', 'use-context');
check('k config use-context ', '', 'here', 'there');
check('k get n', 'n', 'namespaces', 'nodes');
check('k get pods,no', 'no', 'nodes');
check('k get po', 'po', 'pods');
check('k get po ', '', 'nginx', 'node');
check('k get pods nginx n', 'n', 'node');
check('k -n dev get pods ', '', 'far');
check('k get pods --namespace=dev ', '', 'far');
check('k get pod/ng', 'pod/ng', 'pod/nginx');
check('k get pods -n d', 'd', 'default', 'dev');
check('k get --namespace=de', 'de', 'default', 'dev');
check('k get pods -o ya', 'ya', 'yaml');
check('k get --show-l', '--show-l', '--show-labels');
check('k logs ', '', 'nginx', 'node');
check('k logs nginx -c ', '', 'side', 'web');
check('k exec -it nginx -c w', 'w', 'web');
check('k exec nginx -- l', undefined);
check('k apply -f p', 'p', 'pod.yaml', 'pods/');
check('k apply -f pods/', 'pods/', 'pods/a.yaml');
check('k get widgets ', '');
check('k nothing ', '');
check('k get po | gr', undefined);
check('k get po > fi', undefined);
check("k get po -l 'a", undefined);
check('echo x | k get no', 'no', 'nodes');
check('ls k', undefined);
