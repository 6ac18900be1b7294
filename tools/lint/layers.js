// Who may import whom: the one allow-list of the project. What is not listed is forbidden.
// Cross-layer imports are spelled `#layer/file.ts`, imports inside a layer are relative.
// Tests (`*.test.ts`) are free to import any layer; what ships is not.

const component = ['client', 'api', 'apimachinery', 'base'];
const engine = [
  'base',
  'etcd',
  'transport',
  'network',
  'apimachinery',
  'api',
  'client',
  'apiserver',
  'registry',
  'admission',
  'authorization',
  'controllers',
  'scheduler',
  'cri',
  'kubelet',
  'proxy',
  'dns',
  'shell',
];

/**
 * Layer → what it may import. An entry is a layer, `layer/file.ts` (that file only), or `type layer/file.ts` (its types only).
 * @type {Record<string, readonly string[]>}
 */
export const layers = {
  base: [],
  transport: ['base'],
  etcd: ['base'],
  network: ['base'],
  apimachinery: ['base', 'type transport/http.ts'],
  api: ['apimachinery', 'base'],
  client: ['apimachinery', 'base', 'transport'],
  apiserver: ['base', 'etcd', 'transport', 'apimachinery', 'client'],
  registry: ['api', 'apiserver', 'apimachinery', 'base', 'transport', 'client'],
  admission: ['apiserver', 'api', 'apimachinery', 'client', 'base'],
  authorization: ['apiserver', 'api', 'apimachinery', 'client', 'base'],
  controllers: component,
  scheduler: component,
  cri: ['base', 'network'],
  kubelet: [...component, 'cri', 'network', 'transport'],
  proxy: [...component, 'network'],
  dns: [...component, 'network'],
  shell: ['base'],
  kubectl: ['transport', 'apimachinery', 'base', 'shell'],
  terminal: ['base', 'network', 'cri', 'shell'],
  lessons: ['base'],
  cluster: engine,
  hosts: [...engine, 'kubectl', 'lessons', 'cluster'],
  ui: [
    'transport',
    'kubectl',
    'shell',
    'terminal',
    'apimachinery',
    'base',
    'lessons',
    'type hosts/control.ts',
    // Starts the worker; the way in, not the engine.
    'hosts/worker/open-session.ts',
    // Drives the terminal's machine by the wall.
    'hosts/driver.ts',
    'hosts/worker/browser-wall.ts',
  ],
  testing: [...engine, 'kubectl', 'lessons', 'cluster', 'hosts'],
};

/** Layers that meet the outside world; every other one is deterministic and reaches it through what it is given. */
export const ambientLayers = ['hosts', 'ui', 'testing'];

/**
 * Packages that the deterministic layers may import: pure, synchronous, and free of time, randomness and I/O.
 * @type {readonly string[]}
 */
export const purePackages = ['@marcbachmann/cel-js', '@noble/hashes', 'diff', 'pure-rand', 'unbash', 'yaml'];
