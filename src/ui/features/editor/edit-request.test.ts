// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { requestEdit, saveRequest } from './edit-request.tsx';
import { useEditor } from './editor-store.ts';

const state = () => useEditor.getState();
const open = () => state().files.find(({ isRequest }) => isRequest);

test('a command gets what the person made of its text', async () => {
  expect(saveRequest()).toBe(false);
  const edited = requestEdit('a: 1', 'kubectl-edit-1.yaml');
  expect(open()).toMatchObject({ name: 'kubectl-edit-1.yaml', text: 'a: 1', id: state().active });
  state().write(state().active, 'a: 2');
  expect(saveRequest()).toBe(true);
  expect(await edited).toBe('a: 2');
  expect(open()).toBeUndefined();
  expect(state().closed).toEqual([]);
});

test('a tab that is closed and a command that is interrupted change nothing', async () => {
  const closed = requestEdit('a: 1', 'x.yaml');
  state().close(open()?.id ?? 0);
  expect(await closed).toBeUndefined();
  const abort = new AbortController();
  const interrupted = requestEdit('a: 1', 'x.yaml', abort.signal);
  abort.abort();
  expect(await interrupted).toBeUndefined();
  expect(open()).toBeUndefined();
  expect(await requestEdit('a: 1', 'x.yaml', abort.signal)).toBeUndefined();
});
