import type { Process } from '#base/pump.ts';
import { decodeDns, DnsError, encodeDns, frameDns, readDnsFrame } from '#network/dns.ts';
import type { Network } from '#network/network.ts';

const DNS_PORT = 53;

/**
 * The router of the nodes' network. Behind it there is nothing: what is sent through it is lost, and its name server,
 * which is that of the nodes, knows no names at all.
 */
export function createGateway(process: Process, network: Network, address: string): void {
  const host = network.createHost('gateway', address);
  host.listenDatagram(process, DNS_PORT, answer);
  host.listen(process, DNS_PORT, async (connection) => {
    for (let query = await readDnsFrame(connection); query; query = await readDnsFrame(connection)) {
      const message = answer(query);
      if (!message) return;
      await connection.write(frameDns(message));
    }
  });
}

/** NXDOMAIN, in the name of the root. */
function answer(query: Uint8Array): Uint8Array | undefined {
  try {
    const message = decodeDns(query);
    if (message.response) return undefined;
    return encodeDns({
      ...message,
      response: true,
      authoritative: false,
      recursionAvailable: true,
      rcode: 'NXDOMAIN',
      answers: [],
      authority: [
        {
          name: '.',
          ttl: 86_400,
          type: 'SOA',
          primary: 'a.root-servers.net.',
          mailbox: 'nstld.verisign-grs.com.',
          serial: 2_025_042_300,
          refresh: 1800,
          retry: 900,
          expire: 604_800,
          minimum: 86_400,
        },
      ],
      additional: [],
    });
  } catch (error) {
    if (!(error instanceof DnsError)) throw error;
    return undefined;
  }
}
