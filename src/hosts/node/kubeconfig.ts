/** The extension of a kubeconfig's cluster that says where its faults are set. */
export const CONTROL_EXTENSION = 'tabernetes.control';

/**
 * A kubeconfig for a server on loopback that takes plain HTTP and asks for no credentials. `control` is the URL of its
 * control port.
 */
export function kubeconfig(server: string, control: string): string {
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
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
  user: {}
`;
}
