import type { Example } from './example.ts';

/** Whole applications. */
export const APPLICATION_EXAMPLES: readonly Example[] = [
  {
    file: 'two-tier.yaml',
    title: { key: 'example.twoTier' },
    about: 'about.twoTier',
    text: `# A front end that counts its visits in redis.
# curl node-1:30081 - again and again.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: redis
  labels: {app: hits, tier: store}
spec:
  replicas: 1
  selector:
    matchLabels: {app: hits, tier: store}
  template:
    metadata:
      labels: {app: hits, tier: store}
    spec:
      containers:
      - name: redis
        image: redis
        ports:
        - containerPort: 6379
---
apiVersion: v1
kind: Service
metadata:
  name: redis
spec:
  selector: {app: hits, tier: store}
  ports:
  - port: 6379
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  labels: {app: hits, tier: front}
spec:
  replicas: 2
  selector:
    matchLabels: {app: hits, tier: front}
  template:
    metadata:
      labels: {app: hits, tier: front}
    spec:
      containers:
      - name: front
        image: tabernetes/hit-counter:1.0
        env:
        - name: REDIS_HOST
          value: redis
        ports:
        - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: front
spec:
  type: NodePort
  selector: {app: hits, tier: front}
  ports:
  - port: 80
    targetPort: 8080
    nodePort: 30081
`,
  },
  {
    file: 'load.yaml',
    title: { key: 'example.load' },
    about: 'about.load',
    text: `# Asks the Service "web" (the Deployment and the
# Service of the examples) twice a second.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: load
spec:
  replicas: 1
  selector:
    matchLabels:
      app: load
  template:
    metadata:
      labels:
        app: load
    spec:
      containers:
      - name: load
        image: busybox
        command: ["sh", "-c"]
        args:
        - while true; do wget -q -O- -T 2 http://web > /dev/null && echo ok || echo failed; sleep 0.5; done
`,
  },
  {
    file: 'self-healing.yaml',
    title: { key: 'example.healing' },
    about: 'about.healing',
    text: `# Four Pods behind a Service, probed every 2 s. Make
# one hang by its switch: a Pod that stops answering
# is left out, then started again.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 4
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
      - name: shop
        image: nginx
        ports:
        - containerPort: 80
        readinessProbe:
          httpGet: {path: /, port: 80}
          periodSeconds: 2
        livenessProbe:
          httpGet: {path: /, port: 80}
          periodSeconds: 5
---
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector:
    app: shop
  ports:
  - port: 80
`,
  },
];
