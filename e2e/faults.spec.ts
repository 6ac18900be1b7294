import { expect, test } from '@playwright/test';
import { Tabernetes } from './page.ts';

test('components, Pods and nodes fail by command in the terminal; a shell and tools on nodes', async ({ page }) => {
  test.setTimeout(180_000);
  const app = new Tabernetes(page);
  await app.open();
  const says = async (line: string, text: string) => {
    await app.type('clear');
    await app.type(line);
    await expect(app.screen()).toContainText(text, { timeout: 30_000 });
  };
  await says('fault stop kube-scheduler', 'kube-scheduler stopped');
  await says('kubectl run web --image=nginx; kubectl get pods', 'Pending');
  await says('fault start kube-scheduler', 'kube-scheduler running');
  await says('kubectl wait --for=condition=Ready pod/web', 'condition met');
  await says('curl -s $(kubectl get pod web -o jsonpath={.status.podIP}) | grep title', 'Welcome to nginx!');
  await says('fault stop kube-apiserver', 'kube-apiserver stopped');
  await says('kubectl get pods', 'was refused - did you specify the right host or port?');
  await says('ssh node-1 hostname', 'node-1');
  await says('fault start kube-apiserver', 'kube-apiserver running');
  await says('kubectl get pods', 'Running');
  await says('fault stop etcd', 'etcd stopped');
  await says('kubectl get pods', 'Error from server: rpc error: code = Unavailable');
  await says('fault start etcd', 'etcd running');
  await says('ssh node-2', 'root@node-2:~#');
  await says('ping -c 1 node-3', '1 packets received');
  await app.page.keyboard.press('Control+D');
  await expect(app.screen()).toContainText('Connection to node-2 closed.');
  await says('fault off control-plane; curl node-1', 'which cannot be reached: No route to host');
  expect(app.faults).toEqual([]);
});
