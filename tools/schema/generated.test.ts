import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedSources } from './generated-sources.ts';

test('what is committed is what `npm run generate` writes', () => {
  for (const [file, source] of Object.entries(generatedSources())) {
    const committed = readFileSync(new URL(`../../src/api/generated/${file}`, import.meta.url), 'utf8');
    expect(committed === source, `${file} is stale`).toBe(true);
  }
});
