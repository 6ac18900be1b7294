import { expect, test } from 'vitest';
import { fileName, freeName, useEditor } from './editor-store.ts';
import { NGINX_POD } from './examples.ts';

const state = () => useEditor.getState();
const names = () => state().files.map((file) => file.name);

test('the first file is the Pod of the introduction', () => {
  expect(state().files).toMatchObject([{ name: 'nginx-pod.yaml', text: NGINX_POD }]);
});

test('files are added, renamed, closed and opened again', () => {
  state().add('a.yaml', 'kind: A');
  state().add('b.yaml', 'kind: B');
  const [, a, b] = state().files;
  expect(state().active).toBe(b?.id);
  expect(state().rename(a?.id ?? 0, 'b.yaml')).toBe(false);
  expect(state().rename(a?.id ?? 0, 'my app')).toBe(true);
  expect(names()).toEqual(['nginx-pod.yaml', 'my-app.yaml', 'b.yaml']);
  state().close(a?.id ?? 0);
  expect(names()).toEqual(['nginx-pod.yaml', 'b.yaml']);
  state().add('my-app.yaml', 'other');
  state().reopen(a?.id ?? 0);
  expect(names()).toEqual(['nginx-pod.yaml', 'b.yaml', 'my-app.yaml', 'my-app-2.yaml']);
  for (const file of state().files) state().close(file.id);
  expect(names()).toEqual(['file.yaml']);
});

test('names are such as a shell takes', () => {
  expect(['x', ' a b.yml', '../etc', 'x.json', ''].map(fileName)).toEqual([
    'x.yaml',
    'a-b.yml',
    'etc.yaml',
    'x.json',
    'file.yaml',
  ]);
  expect(freeName('a.yaml', ['a.yaml', 'a-2.yaml'])).toBe('a-3.yaml');
});
