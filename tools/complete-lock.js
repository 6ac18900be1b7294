// Puts into package-lock.json the optional packages of other platforms that a partial registry left out: npm ci refuses
// a lock file without them. What they need to be (system, processor, C library) is in their names.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './install.js';

const file = path.join(root, 'package-lock.json');

/** Name and version of the optional dependencies that a lock file does not list. */
export function missingFromLock({ packages }) {
  return Object.entries(packages).flatMap(([owner, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !packages[`node_modules/${name}`] && !packages[`${owner}/node_modules/${name}`])
      .map(([name, version]) => ({ name, version, dev, engines: packages[owner].engines })),
  );
}

function entryOf({ name, version, dev, engines }) {
  const words = name.split('/').at(-1).split('-');
  const one = (...known) => known.filter((word) => words.includes(word));
  const libc = words.includes('musl') ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : [];
  return {
    version,
    cpu: one('x64', 'arm64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x'),
    ...(dev ? { dev } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    optional: true,
    os: one('android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'),
    ...(engines ? { engines } : {}),
  };
}

if (process.argv[1] === import.meta.filename) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  for (const missing of missingFromLock(lock)) {
    const entry = entryOf(missing);
    if (entry.os.length === 0 || entry.cpu.length === 0)
      throw new Error(`What ${missing.name} is for is not in its name.`);
    lock.packages[`node_modules/${missing.name}`] = entry;
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
