import type { Example } from './example.ts';

/** What a Pod can be told. */
export const POD_EXAMPLES: readonly Example[] = [
  {
    file: 'two-containers.yaml',
    title: { key: 'example.shared' },
    about: 'about.shared',
    text: `# Two containers of a Pod share its network
# and, here, a volume: the second writes
# the page that the first serves.
apiVersion: v1
kind: Pod
metadata:
  name: two-containers
spec:
  volumes:
  - name: page
    emptyDir: {}
  containers:
  - name: web
    image: nginx
    ports:
    - containerPort: 80
    volumeMounts:
    - name: page
      mountPath: /usr/share/nginx/html
  - name: writer
    image: busybox
    command: ["sh", "-c"]
    args:
    - while true; do date > /page/index.html; sleep 5; done
    volumeMounts:
    - name: page
      mountPath: /page
`,
  },
  {
    file: 'init-and-probes.yaml',
    title: { key: 'example.probes' },
    about: 'about.probes',
    text: `# An init container runs first; then the
# readiness probe decides when the Pod is Ready.
apiVersion: v1
kind: Pod
metadata:
  name: careful
spec:
  initContainers:
  - name: prepare
    image: busybox
    command: ["sh", "-c", "echo preparing; sleep 3"]
  containers:
  - name: web
    image: nginx
    ports:
    - containerPort: 80
    readinessProbe:
      httpGet:
        path: /
        port: 80
      initialDelaySeconds: 3
      periodSeconds: 2
    livenessProbe:
      tcpSocket:
        port: 80
      periodSeconds: 10
`,
  },
  {
    file: 'resources.yaml',
    title: { key: 'example.resources' },
    about: 'about.resources',
    text: `# The scheduler counts with requests: on a
# Node of 4 CPUs one of these fits, not two.
apiVersion: v1
kind: Pod
metadata:
  name: greedy-1
spec:
  containers:
  - name: web
    image: nginx
    resources:
      requests:
        cpu: 2500m
        memory: 1Gi
      limits:
        memory: 2Gi
---
apiVersion: v1
kind: Pod
metadata:
  name: greedy-2
spec:
  containers:
  - name: web
    image: nginx
    resources:
      requests:
        cpu: 2500m
        memory: 1Gi
      limits:
        memory: 2Gi
`,
  },
  {
    file: 'priority.yaml',
    title: 'PriorityClass',
    about: 'about.priority',
    text: `# The scheduler takes the urgent Pod first, and
# makes room for it if there is none.
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: urgent
value: 100000
description: For Pods that cannot wait.
---
apiVersion: v1
kind: Pod
metadata:
  name: urgent
spec:
  priorityClassName: urgent
  containers:
  - name: web
    image: nginx
`,
  },
  {
    file: 'curl-pod.yaml',
    title: { key: 'example.client' },
    about: 'about.client',
    text: `# A Pod to ask others from:
# kubectl exec client -- curl -s web
apiVersion: v1
kind: Pod
metadata:
  name: client
spec:
  containers:
  - name: curl
    image: curlimages/curl
    command: ["sleep", "infinity"]
`,
  },
];
