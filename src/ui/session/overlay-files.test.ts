import { expect, test } from 'vitest';
import { FileError, type FileSystem } from '#shell/file-system.ts';
import { overlayFiles } from './overlay-files.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const kept = new Map([['/root/a', bytes('a')]]);
const below: FileSystem = {
  stat: async (path) =>
    kept.has(path)
      ? { kind: 'file', size: 1, modified: 5 }
      : path === '/root'
        ? { kind: 'directory', size: 0, modified: 5 }
        : undefined,
  readFile: async (path) => {
    const data = kept.get(path);
    if (!data) throw new FileError('ENOENT', path);
    return data;
  },
  writeFile: async (path, data) => void kept.set(path, data),
  list: async () => ['a'],
  makeDirectory: async () => {},
  remove: async (path) => void kept.delete(path),
};
const files = overlayFiles(
  below,
  new Map([
    ['/tmp/editor/nginx-pod.yaml', bytes('kind: Pod')],
    ['/root/b', bytes('b')],
  ]),
);
const read = async (path: string) => new TextDecoder().decode(await files.readFile(path));
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: FileError) => error.code,
  );

test('what lies on top is seen with what lies below', async () => {
  expect([await read('/root/a'), await read('/root/b'), await read('/tmp/editor/nginx-pod.yaml')]).toEqual([
    'a',
    'b',
    'kind: Pod',
  ]);
  expect(await files.list('/root')).toEqual(['a', 'b']);
  expect(await files.list('/tmp/editor')).toEqual(['nginx-pod.yaml']);
  expect((await files.stat('/tmp/editor'))?.kind).toBe('directory');
  expect(await files.stat('/nothing')).toBeUndefined();
  expect(await code(files.readFile('/nothing'))).toBe('ENOENT');
});

test('what lies on top cannot be changed, what lies below can', async () => {
  expect(await code(files.writeFile('/root/b', bytes('')))).toBe('EACCES');
  expect(await code(files.remove('/root/b'))).toBe('EACCES');
  await files.writeFile('/root/c', bytes('c'));
  expect(await read('/root/c')).toBe('c');
  await files.remove('/root/c');
  expect(kept.has('/root/c')).toBe(false);
});
