// Whether something built is still what its sources say: by size and time of change, in a few milliseconds.
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache, root } from './install.js';

/**
 * What was built, and from which files as they then were (relative to the root).
 * @typedef {{ output: string, inputs: Record<string, string> }} BuildRecord
 */

const recordFile = (name) => path.join(cache, `${name}.json`);

/** Size and time of change of a file; `missing` if there is none. */
export function stampOf(file) {
  const stat = statSync(path.join(root, file), { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs}` : 'missing';
}

/** Every file in a folder, relative to the root, that is not a test. */
export function filesIn(folder) {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** The record of a build whose inputs have not changed since; undefined if it has to be made again. */
export function freshRecord(name) {
  /** @type {BuildRecord} */
  let record;
  try {
    record = JSON.parse(readFileSync(recordFile(name), 'utf8'));
  } catch {
    return undefined;
  }
  const same = Object.entries(record.inputs).every(([file, stamp]) => stampOf(file) === stamp);
  return same && statSync(record.output, { throwIfNoEntry: false }) ? record : undefined;
}

/** Keeps a record; whoever reads it at the same time sees the old one or the new one. */
export function writeRecord(name, /** @type {BuildRecord} */ record) {
  mkdirSync(cache, { recursive: true });
  const part = `${recordFile(name)}.${process.pid}`;
  writeFileSync(part, JSON.stringify(record));
  renameSync(part, recordFile(name));
}
