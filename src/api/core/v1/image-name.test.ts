import { expect, test } from 'vitest';
import { parseImageName } from './image-name.ts';

test('names are completed, or said to be wrong', () => {
  const check = (image: string, repository: string, tag: string, digest = '') =>
    expect(parseImageName(image), image).toEqual({ repository, tag, digest });
  const fail = (image: string, why: string) =>
    expect(parseImageName(image), image).toEqual({ error: `couldn't parse image name "${image}": ${why}` });
  const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;
  check('nginx', 'docker.io/library/nginx', 'latest');
  check('nginx:1.27', 'docker.io/library/nginx', '1.27');
  check('me/app', 'docker.io/me/app', 'latest');
  check('localhost/app:a', 'localhost/app', 'a');
  check('registry.k8s.io/pause:3.10', 'registry.k8s.io/pause', '3.10');
  check('host:5000/a/b', 'host:5000/a/b', 'latest');
  check(`nginx@${sha}`, 'docker.io/library/nginx', '', sha);
  check(`nginx:1@${sha}`, 'docker.io/library/nginx', '1', sha);
  fail('', 'invalid reference format');
  fail('nginx:', 'invalid reference format');
  fail('nginx latest', 'invalid reference format');
  fail('Nginx', 'invalid reference format: repository name (library/Nginx) must be lowercase');
  fail(sha.slice(7), `invalid repository name (${sha.slice(7)}), cannot specify 64-byte hexadecimal strings`);
});
