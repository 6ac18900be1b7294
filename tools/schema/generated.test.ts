import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generatedSources } from './generated-sources.ts';

const root = path.resolve(import.meta.dirname, '../..');
const biome = path.join(root, 'node_modules/.bin/biome');

test('what is committed is what `npm run generate` writes', () => {
  for (const [file, source] of Object.entries(generatedSources())) {
    const at = path.join(root, 'src/api/generated', file);
    const formatted = file.includes('.generated.')
      ? source
      : execFileSync(biome, ['format', `--stdin-file-path=${at}`], {
          input: source,
          cwd: root,
          encoding: 'utf8',
          maxBuffer: 1e8,
        });
    expect(readFileSync(at, 'utf8') === formatted, `${file} is stale`).toBe(true);
  }
});
