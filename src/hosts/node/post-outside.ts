import { request } from 'node:https';
import type { PostOutside } from '#cluster/webhook-caller.ts';

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Posts to webhooks on this machine, over TLS that the webhook's `caBundle` vouches for. Nothing else is called. */
export const postOutside: PostOutside = (url, body, caBundle, timeoutMs) => {
  const { hostname, protocol } = new URL(url);
  if (protocol !== 'https:' || !LOOPBACK.test(hostname)) {
    return Promise.reject(new Error(`only https addresses of this machine can be called, not ${hostname}`));
  }
  const ca = caBundle ? Buffer.from(caBundle, 'base64').toString() : undefined;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const question = request(url, { method: 'POST', headers, timeout: timeoutMs, ...(ca ? { ca } : {}) }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      answer.on('error', (error) => reject(inGoWords(error)));
    });
    question.on('timeout', () => question.destroy(new Error('context deadline exceeded')));
    question.on('error', (error) => reject(inGoWords(error)));
    question.end(body);
  });
};

/** What Go says of the failures that Node has codes for. */
function inGoWords(
  error: Error & { readonly code?: string; readonly address?: string; readonly port?: number },
): Error {
  switch (error.code) {
    case 'ECONNREFUSED':
      return new Error(`dial tcp ${error.address}:${error.port}: connect: connection refused`);
    case 'ECONNRESET':
      return new Error('EOF');
    case 'CERT_HAS_EXPIRED':
      return new Error('tls: failed to verify certificate: x509: certificate has expired or is not yet valid');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return new Error(`tls: failed to verify certificate: x509: ${error.message}`);
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return new Error('tls: failed to verify certificate: x509: certificate signed by unknown authority');
    default:
      return error;
  }
}
