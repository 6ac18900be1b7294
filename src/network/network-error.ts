/** What connecting and talking may fail with, as Linux names it. */
export type NetworkErrorCode =
  | 'EADDRINUSE'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'ETIMEDOUT';

/** The texts of the C library; Go prints them in lower case. */
const TEXTS: Readonly<Record<NetworkErrorCode, string>> = {
  EADDRINUSE: 'Address already in use',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
};

/** A failure of the network, not of us. The message is the C library's. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode) {
    super(TEXTS[code]);
    this.code = code;
  }
}
