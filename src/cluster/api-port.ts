import type { Process } from '#base/pump.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { NetworkNamespace } from '#network/network.ts';

const ANSWER = encodeUtf8('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');

/**
 * The API server's secure port on the virtual network, for as long as its process lives. Nothing there speaks TLS, so it
 * can only answer what the real one answers to those who do not either.
 */
export function listenOnSecurePort(process: Process, host: NetworkNamespace, port: number): void {
  host.listen(process, port, async (connection) => {
    if (await connection.read()) await connection.write(ANSWER);
  });
}
