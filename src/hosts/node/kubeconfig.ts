import type { KeyPair } from './certificate-authority.ts';

/** The extension of a kubeconfig's cluster that says where its faults are set. */
export const CONTROL_EXTENSION = 'tabernetes.control';

export interface KubeconfigOptions {
  readonly server: string;
  /** URL of the control port. */
  readonly control: string;
  /** The authority that has signed the server's certificate, PEM; undefined for plain HTTP. */
  readonly authority?: string;
  /** What shows the server who asks; undefined where it does not ask. */
  readonly credentials?: { readonly token: string } | KeyPair;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig for a server on loopback. */
export function kubeconfig({ server, control, authority, credentials }: KubeconfigOptions): string {
  return `apiVersion: v1
kind: Config
clusters:
- cluster:${authority ? `\n    certificate-authority-data: ${base64(authority)}` : ''}
    extensions:
    - extension:
        server: ${control}
      name: ${CONTROL_EXTENSION}
    server: ${server}
  name: tabernetes
contexts:
- context:
    cluster: tabernetes
    user: kubernetes-admin
  name: tabernetes
current-context: tabernetes
preferences: {}
users:
- name: kubernetes-admin
  user:${userOf(credentials)}
`;
}

function userOf(credentials: KubeconfigOptions['credentials']): string {
  if (!credentials) return ' {}';
  if ('token' in credentials) return `\n    token: ${JSON.stringify(credentials.token)}`;
  return `
    client-certificate-data: ${base64(credentials.certificate)}
    client-key-data: ${base64(credentials.key)}`;
}
