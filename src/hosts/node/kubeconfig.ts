/** A kubeconfig for a server on loopback that takes plain HTTP and asks for no credentials. */
export function kubeconfig(server: string): string {
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
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
