import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';

/** `openssl req -new -newkey ec … -subj /O=devs/CN=jane -addext subjectAltName=DNS:jane.example.com` */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIIBCDCBrgIBADAeMQ0wCwYDVQQKDARkZXZzMQ0wCwYDVQQDDARqYW5lMFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAEt++LmUeuoNRJs4vnNfwFHoMFjRS1ICVk/hlL
EzOlDOqIWrEaFTe20LbyZ9tGeZjg1cduwFo37m0OucdJBx2PJ6AuMCwGCSqGSIb3
DQEJDjEfMB0wGwYDVR0RBBQwEoIQamFuZS5leGFtcGxlLmNvbTAKBggqhkjOPQQD
AgNJADBGAiEA52w3irZ2JPMOK0S+IMWKbKBFlAyQ8DS62CDCszOrf20CIQCMXbFb
rvmcK9wOudCN/enzdm9pt/ZPT2b/QBkQqnEsWQ==
-----END CERTIFICATE REQUEST-----
`;

const authority = new CertificateAuthority('kubernetes', Date.now());
const root = new X509Certificate(authority.certificate);

test('the authority signs itself and may sign', () => {
  expect([root.ca, root.subject, root.verify(root.publicKey)]).toEqual([true, 'CN=kubernetes', true]);
  expect(Date.parse(root.validTo) - Date.now()).toBeGreaterThan(9 * 365 * 86_400_000);
});

test('a serving certificate is for its names and addresses only', () => {
  const pair = authority.issue({
    commonName: 'kube-apiserver',
    usage: 'server',
    dnsNames: ['kubernetes', 'localhost'],
    addresses: ['127.0.0.1', '10.96.0.1'],
  });
  const leaf = new X509Certificate(pair.certificate);
  expect([
    leaf.verify(root.publicKey),
    leaf.checkIssued(root),
    leaf.ca,
    leaf.checkPrivateKey(createPrivateKey(pair.key)),
  ]).toEqual([true, true, false, true]);
  expect(['localhost', 'kubernetes', 'example.com'].map((name) => leaf.checkHost(name))).toEqual([
    'localhost',
    'kubernetes',
    undefined,
  ]);
  expect([leaf.checkIP('10.96.0.1'), leaf.checkIP('10.96.0.2'), leaf.keyUsage]).toEqual([
    '10.96.0.1',
    undefined,
    ['1.3.6.1.5.5.7.3.1'],
  ]);
});

test('a client certificate names a user and its groups', () => {
  const { certificate } = authority.issue({
    commonName: 'kubernetes-admin',
    organizations: ['kubeadm:cluster-admins'],
    usage: 'client',
  });
  expect(new X509Certificate(certificate).subject).toBe('O=kubeadm:cluster-admins\nCN=kubernetes-admin');
});

test('what a request asks for is signed: its subject, key and names', () => {
  const request = btoa(REQUEST);
  const now = Date.now();
  const terms = { usages: ['client auth', 'digital signature'], notBeforeMs: now - 300_000, notAfterMs: now + 600_000 };
  const leaf = new X509Certificate(authority.sign({ request, ...terms }));
  expect([leaf.subject, leaf.subjectAltName, leaf.ca, leaf.checkIssued(root), leaf.verify(root.publicKey)]).toEqual([
    'O=devs\nCN=jane',
    'DNS:jane.example.com',
    false,
    true,
    true,
  ]);
  expect(Date.parse(leaf.validTo) - now).toBeGreaterThan(598_000);
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(() => authority.sign({ request: '', ...terms })).toThrow('PEM block type must be CERTIFICATE REQUEST');
});
