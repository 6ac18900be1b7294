import { expect, test } from 'vitest';
import { useEditor } from '../features/editor/editor-store.ts';
import { PageFiles } from './page-files.ts';

const files = new PageFiles(() => 7);
const bytes = (text: string) => new TextEncoder().encode(text);
const read = async (path: string, from = files) => new TextDecoder().decode(await from.readFile(path));
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );

test('manifests in the home directory are the files of the editor', async () => {
  expect(await files.list('/root')).toEqual(['nginx-pod.yaml']);
  expect(await read('/root/nginx-pod.yaml')).toContain('kind: Pod');
  await files.writeFile('/root/nginx-pod.yaml', bytes('changed'));
  await files.writeFile('/root/new.yaml', bytes('kind: New'));
  expect(useEditor.getState().files.map(({ name, text }) => [name, text])).toEqual([
    ['nginx-pod.yaml', 'changed'],
    ['new.yaml', 'kind: New'],
  ]);
  await files.remove('/root/new.yaml');
  expect(await files.stat('/root/new.yaml')).toBeUndefined();
});

test('other files and directories are kept in memory', async () => {
  await files.makeDirectory('/root/.kube/cache');
  await files.writeFile('/root/.kube/config', bytes('x'));
  expect(await files.list('/root/.kube')).toEqual(['cache', 'config']);
  expect(await files.stat('/root/.kube/config')).toEqual({ kind: 'file', size: 1, modified: 7 });
  expect((await files.stat('/root/.kube'))?.kind).toBe('directory');
  expect(await code(files.remove('/root/.kube'))).toBe('ENOTEMPTY');
  expect(await code(files.readFile('/root/.kube'))).toBe('EISDIR');
  expect(await code(files.readFile('/nothing'))).toBe('ENOENT');
  expect(await code(files.writeFile('/no/where', bytes('')))).toBe('ENOENT');
  expect(await code(files.list('/root/.kube/config'))).toBe('ENOTDIR');
});

test('an overlay is seen only by whom it is given', async () => {
  const mine = files.with(new Map([['/tmp/nginx-pod.yaml', bytes('only mine')]]));
  expect(await read('/tmp/nginx-pod.yaml', mine)).toBe('only mine');
  expect(await files.stat('/tmp/nginx-pod.yaml')).toBeUndefined();
  await mine.writeFile('/tmp/shared', bytes('for all'));
  expect(await read('/tmp/shared')).toBe('for all');
});
