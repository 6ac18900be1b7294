import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';

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
