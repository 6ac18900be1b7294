import { decodeUtf8 } from '#base/utf8.ts';
import { parseIPv4 } from '#network/address.ts';
import { FileError } from './file-error.ts';
import type { UnixProcess } from './unix-process.ts';

/**
 * The address of a host as the C library finds it: a literal address, then /etc/hosts. Undefined when it is not known.
 * May park, because name servers will be asked here.
 */
export async function resolveHost(self: UnixProcess, name: string): Promise<string | undefined> {
  if (parseIPv4(name) !== undefined) return name;
  try {
    const wanted = name.toLowerCase();
    for (const line of decodeUtf8(self.system.files.readFile('/etc/hosts')).split('\n')) {
      const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      if (address && parseIPv4(address) !== undefined && names.some((one) => one.toLowerCase() === wanted))
        return address;
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
  return name === 'localhost' ? '127.0.0.1' : undefined;
}
