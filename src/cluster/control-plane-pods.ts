import type { Container, Pod } from '#api/generated/types.ts';

interface Component {
  readonly name: string;
  readonly image: string;
  readonly cpu: string;
  readonly memory?: string;
  readonly command: readonly string[];
}

const COMPONENTS: readonly Component[] = [
  {
    name: 'etcd',
    image: 'registry.k8s.io/etcd:3.5.21-0',
    cpu: '100m',
    memory: '100Mi',
    command: ['etcd', '--data-dir=/var/lib/etcd', '--listen-client-urls=https://127.0.0.1:2379'],
  },
  {
    name: 'kube-apiserver',
    image: 'registry.k8s.io/kube-apiserver:v1.33.0',
    cpu: '250m',
    command: ['kube-apiserver', '--etcd-servers=https://127.0.0.1:2379', '--service-cluster-ip-range=10.96.0.0/12'],
  },
  {
    name: 'kube-controller-manager',
    image: 'registry.k8s.io/kube-controller-manager:v1.33.0',
    cpu: '200m',
    command: ['kube-controller-manager', '--allocate-node-cidrs=true', '--cluster-cidr=10.244.0.0/16'],
  },
  { name: 'kube-scheduler', image: 'registry.k8s.io/kube-scheduler:v1.33.0', cpu: '100m', command: ['kube-scheduler'] },
];

/**
 * The control plane's own components as static Pods, as kubeadm lays them out on the control plane's node. They stand for the
 * components, which run as processes of the cluster itself: their containers are plain long-running processes.
 */
export const controlPlanePods: readonly Pod[] = COMPONENTS.map(({ name, image, cpu, memory, command }): Pod => {
  const container: Container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command,
    resources: { requests: { cpu, ...(memory ? { memory } : {}) } },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system', labels: { component: name, tier: 'control-plane' } },
    spec: {
      containers: [container],
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      priority: 2_000_001_000,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    },
  };
});
