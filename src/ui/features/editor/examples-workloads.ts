import type { Example } from './example.ts';

/** The kinds that keep Pods. */
export const WORKLOAD_EXAMPLES: readonly Example[] = [
  {
    file: 'deployment.yaml',
    title: 'Deployment',
    about: 'about.deployment',
    text: `# Keeps three Pods. Delete one and another comes.
# kubectl scale deployment web --replicas=5
# kubectl set image deployment web nginx=nginx:1.27
# kubectl rollout undo deployment web
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.26
        ports:
        - containerPort: 80
        readinessProbe:
          httpGet:
            path: /
            port: 80
          periodSeconds: 2
`,
  },
  {
    file: 'replicaset.yaml',
    title: 'ReplicaSet',
    about: 'about.replicaset',
    text: `# Keeps a number of Pods that are all alike.
# Usually a Deployment makes it.
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: twins
spec:
  replicas: 2
  selector:
    matchLabels:
      app: twins
  template:
    metadata:
      labels:
        app: twins
    spec:
      containers:
      - name: web
        image: nginx
`,
  },
  {
    file: 'replicationcontroller.yaml',
    title: 'ReplicationController',
    about: 'about.rc',
    text: `# The first of its kind; a ReplicaSet does
# the same with richer selectors.
apiVersion: v1
kind: ReplicationController
metadata:
  name: classic
spec:
  replicas: 2
  selector:
    app: classic
  template:
    metadata:
      labels:
        app: classic
    spec:
      containers:
      - name: web
        image: nginx
`,
  },
  {
    file: 'daemonset.yaml',
    title: 'DaemonSet',
    about: 'about.daemonset',
    text: `# One Pod on every Node, the control plane's too
# because it tolerates that taint.
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  selector:
    matchLabels:
      app: agent
  template:
    metadata:
      labels:
        app: agent
    spec:
      tolerations:
      - key: node-role.kubernetes.io/control-plane
        operator: Exists
        effect: NoSchedule
      containers:
      - name: agent
        image: busybox
        command: ["sh", "-c", "while true; do echo on $NODE_NAME; sleep 30; done"]
        env:
        - name: NODE_NAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
`,
  },
  {
    file: 'recreate.yaml',
    title: { key: 'example.recreate' },
    about: 'about.recreate',
    text: `# All old Pods go before the new ones come:
# kubectl set image deployment one nginx=nginx:1.27
apiVersion: apps/v1
kind: Deployment
metadata:
  name: one
spec:
  replicas: 2
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app: one
  template:
    metadata:
      labels:
        app: one
    spec:
      containers:
      - name: nginx
        image: nginx:1.26
`,
  },
];
