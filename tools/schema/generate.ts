// npm run generate: writes src/api/generated from the npm packages and the facts beside this file.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { refreshFacts } from './facts.ts';
import { generatedSources } from './generated-sources.ts';

const root = path.resolve(import.meta.dirname, '../..');
const generated = path.join(root, 'src/api/generated');

refreshFacts();
for (const [file, source] of Object.entries(generatedSources())) writeFileSync(path.join(generated, file), source);
execFileSync(path.join(root, 'node_modules/.bin/biome'), ['format', '--write', import.meta.dirname], {
  stdio: 'inherit',
});
