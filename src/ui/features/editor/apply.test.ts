import { expect, test } from 'vitest';
import { answerOf } from './apply.ts';
import { readDocuments, type ManifestDocument } from './documents.ts';

const [manifest] = readDocuments(
  'kind: Pod\nmetadata:\n  name: nginx\nspec:\n  containers:\n  - name: web\n    image: ""\n',
) as [ManifestDocument];

test('what kubectl prints becomes the answer beside the document', () => {
  expect(
    answerOf('apply', manifest, { code: 0, stdout: 'pod/nginx created\n', stderr: 'Warning: spec.x: unknown\n' }),
  ).toMatchObject({
    title: 'Pod nginx',
    text: 'pod/nginx created',
    failed: false,
    warnings: ['spec.x: unknown'],
    problems: [],
  });
});

test('an error is shown at the field that it names', () => {
  const stderr = 'The Pod "nginx" is invalid: spec.containers[0].image: Required value\n';
  const answer = answerOf('apply', manifest, { code: 1, stdout: '', stderr });
  expect(answer).toMatchObject({ text: stderr.trim(), failed: true });
  expect(answer.problems.map(({ startLine }) => startLine)).toEqual([7]);
});
