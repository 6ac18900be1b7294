import type { Flag } from './flags.ts';

// Flags that many commands share. Names, types and defaults are kubectl's; the words are ours.

/** Flags of every command: which server, as whom. */
export const globalFlags: readonly Flag[] = [
  {
    name: 'as',
    type: 'string',
    usage: 'Act as this user: a user name, or a service account as system:serviceaccount:NAMESPACE:NAME.',
  },
  { name: 'as-group', type: 'stringArray', usage: 'Act as a member of this group; may be repeated.' },
  { name: 'as-uid', type: 'string', usage: 'Act as the user with this UID.' },
  {
    name: 'cache-dir',
    type: 'string',
    default: '/root/.kube/cache',
    usage: 'Where discovery is cached.',
    values: 'files',
  },
  {
    name: 'certificate-authority',
    type: 'string',
    usage: "File with the certificate of the authority that signed the server's.",
    values: 'files',
  },
  { name: 'client-certificate', type: 'string', usage: 'File with the client certificate for TLS.', values: 'files' },
  { name: 'client-key', type: 'string', usage: 'File with the key of the client certificate.', values: 'files' },
  { name: 'cluster', type: 'string', usage: 'Which cluster of the kubeconfig to use.', values: 'clusters' },
  { name: 'context', type: 'string', usage: 'Which context of the kubeconfig to use.', values: 'contexts' },
  { name: 'disable-compression', type: 'bool', usage: 'Ask the server not to compress its answers.' },
  {
    name: 'insecure-skip-tls-verify',
    type: 'bool',
    usage: "Do not check the server's certificate. The connection is then not secure.",
  },
  { name: 'kubeconfig', type: 'string', usage: 'The kubeconfig file to use.', values: 'files' },
  {
    name: 'log-flush-frequency',
    type: 'duration',
    default: '5s',
    usage: 'Accepted for compatibility; there is no log to flush.',
  },
  { name: 'match-server-version', type: 'bool', usage: 'Refuse to work with a server of another version.' },
  { name: 'namespace', short: 'n', type: 'string', usage: 'The namespace to work in.', values: 'namespaces' },
  { name: 'password', type: 'string', usage: 'Password for basic authentication.' },
  { name: 'profile', type: 'string', default: 'none', usage: 'Accepted for compatibility; nothing is profiled.' },
  {
    name: 'profile-output',
    type: 'string',
    default: 'profile.pprof',
    usage: 'Accepted for compatibility; nothing is profiled.',
  },
  {
    name: 'request-timeout',
    type: 'string',
    default: '0',
    usage: 'How long to wait for one answer of the server, such as 1s, 2m or 3h; 0 waits for ever.',
  },
  { name: 'server', short: 's', type: 'string', usage: 'Address and port of the API server.' },
  {
    name: 'tls-server-name',
    type: 'string',
    usage: "The name to expect in the server's certificate; by default the one used to reach it.",
  },
  { name: 'token', type: 'string', usage: 'Bearer token for authentication.' },
  { name: 'user', type: 'string', usage: 'Which user of the kubeconfig to use.', values: 'users' },
  { name: 'username', type: 'string', usage: 'User name for basic authentication.' },
  { name: 'v', short: 'v', type: 'int', usage: 'Accepted for compatibility: the verbosity of the log.' },
  { name: 'vmodule', type: 'string', usage: 'Accepted for compatibility: verbosity by module.' },
  { name: 'warnings-as-errors', type: 'bool', usage: 'Fail when the server sends a warning.' },
];

export const selector: Flag = {
  name: 'selector',
  short: 'l',
  type: 'string',
  usage: "Only objects whose labels match, such as app=web,tier!=db or 'env in (dev, test)'.",
};

export const fieldSelector: Flag = {
  name: 'field-selector',
  type: 'string',
  usage:
    'Only objects whose fields match, such as metadata.name=web,status.phase!=Running. Each type has few fields that can be selected by.',
};

export const allNamespaces: Flag = {
  name: 'all-namespaces',
  short: 'A',
  type: 'bool',
  usage: 'Look in all namespaces, whatever --namespace says.',
};

/** `-f`, `-k` and `-R`; `purpose` ends the sentence "Files …". */
export const filenameFlags = (purpose: string): readonly Flag[] => [
  {
    name: 'filename',
    short: 'f',
    type: 'stringSlice',
    usage: `Files, directories or - for stdin ${purpose}`,
    values: 'files',
  },
  {
    name: 'kustomize',
    short: 'k',
    type: 'string',
    usage: 'Process a kustomization directory; not together with -f or -R.',
    values: 'files',
  },
  { name: 'recursive', short: 'R', type: 'bool', usage: 'Look into the directories below those given with -f, too.' },
];

export const dryRun: Flag = {
  name: 'dry-run',
  type: 'string',
  default: 'none',
  bare: 'unchanged',
  values: ['none', 'server', 'client'],
  usage:
    '"client" only prints the object that would be sent; "server" sends it, and the server does everything but store it; "none" does it.',
};

export const fieldManager = (name: string): Flag => ({
  name: 'field-manager',
  type: 'string',
  default: name,
  usage: 'The name under which changed fields are recorded as owned.',
});

export const subresource = (usage: string): Flag => ({
  name: 'subresource',
  type: 'string',
  usage,
  values: ['status', 'scale', 'resize'],
});

export const saveConfig: Flag = {
  name: 'save-config',
  type: 'bool',
  usage: 'Keep the configuration in an annotation of the object, for a later kubectl apply.',
};

export const validate: Flag = {
  name: 'validate',
  type: 'string',
  default: 'strict',
  bare: 'strict',
  values: ['strict', 'warn', 'ignore'],
  usage:
    'What the server does about unknown fields and fields that come twice: strict (or true) refuses, warn warns, ignore (or false) drops them.',
};

export const chunkSize: Flag = {
  name: 'chunk-size',
  type: 'int',
  default: '500',
  usage: 'Fetch large lists in pieces of this many objects; 0 fetches them whole.',
};

const template: readonly Flag[] = [
  {
    name: 'allow-missing-template-keys',
    type: 'bool',
    default: 'true',
    usage: 'A field that is missing is not an error in Go templates and JSONPath.',
  },
  { name: 'show-managed-fields', type: 'bool', usage: 'Keep metadata.managedFields in JSON and YAML.' },
  {
    name: 'template',
    type: 'string',
    usage: 'The Go template or JSONPath for -o go-template or jsonpath, or its file.',
    values: 'files',
  },
];

const FORMATS = [
  'json',
  'yaml',
  'name',
  'go-template',
  'go-template-file',
  'template',
  'templatefile',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
];
export const GET_FORMATS: readonly string[] = [...FORMATS, 'custom-columns', 'custom-columns-file', 'wide'];

/** `-o` and its companions, for commands that print the object they made or changed. */
export const printFlags: readonly Flag[] = [
  ...template,
  {
    name: 'output',
    short: 'o',
    type: 'string',
    usage: `Output format: one of (${FORMATS.join(', ')}).`,
    values: FORMATS,
  },
];

/** `-o` and its companions, for `get`. */
export const getPrintFlags: readonly Flag[] = [
  ...template,
  { name: 'label-columns', short: 'L', type: 'stringSlice', usage: 'Labels to show as columns of their own.' },
  { name: 'no-headers', type: 'bool', usage: 'Print tables and custom columns without their headings.' },
  {
    name: 'output',
    short: 'o',
    type: 'string',
    usage: `Output format: one of (${GET_FORMATS.join(', ')}).`,
    values: GET_FORMATS,
  },
  { name: 'show-kind', type: 'bool', usage: 'Show the type in front of each name.' },
  { name: 'show-labels', type: 'bool', usage: 'Show all labels as the last column.' },
  {
    name: 'sort-by',
    type: 'string',
    usage: "Sort by this field, a JSONPath such as '{.metadata.name}'; it must hold numbers or strings.",
  },
];

/** How things are deleted; `defaults` differ between commands. */
export const deleteFlags = (defaults: { readonly wait: boolean }): readonly Flag[] => [
  {
    name: 'cascade',
    type: 'string',
    default: 'background',
    bare: 'background',
    values: ['background', 'orphan', 'foreground'],
    usage: 'What happens to dependents: deleted later (background), kept (orphan), or deleted first (foreground).',
  },
  { name: 'force', type: 'bool', usage: 'Remove objects at once, without waiting for a graceful end.' },
  {
    name: 'grace-period',
    type: 'int',
    default: '-1',
    usage: 'Seconds that the object gets to end; negative leaves it to the object, 0 needs --force.',
  },
  {
    name: 'timeout',
    type: 'duration',
    default: '0s',
    usage: 'How long to wait for the end of what is deleted; 0 lets kubectl choose.',
  },
  {
    name: 'wait',
    type: 'bool',
    default: String(defaults.wait),
    usage: 'Return only when the objects are gone, finalizers included.',
  },
];

export const podRunningTimeout = (value: string): Flag => ({
  name: 'pod-running-timeout',
  type: 'duration',
  default: value,
  usage: 'How long to wait until a Pod is running (such as 5s, 2m or 3h).',
});

export const container = (usage: string): Flag => ({
  name: 'container',
  short: 'c',
  type: 'string',
  usage,
  values: 'containers',
});
