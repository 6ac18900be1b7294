import type { JsonObject } from '#apimachinery/json.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import type { Command, Invocation } from '../command.ts';
import { text, without } from '../fields.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { VERSION } from '../version.ts';

export const version: Command = {
  name: 'version',
  short: 'Print the client and server version information',
  examples: `
# Versions of this kubectl and of the server
kubectl version

# Of this kubectl only
kubectl version --client`,
  usage: 'version [flags]',
  flags: [
    { name: 'client', type: 'bool', usage: 'Only the version of this kubectl; no server is asked.' },
    { name: 'output', short: 'o', type: 'string', usage: "One of 'yaml' or 'json'.", values: ['yaml', 'json'] },
  ],
  completion: 'none',
  run: runVersion,
};

/** The release of Kubernetes whose kubectl this one follows, as that one describes itself. */
const CLIENT: JsonObject = {
  major: '1',
  minor: '33',
  gitVersion: VERSION,
  gitCommit: '60a317eadfcb839692a68eab88b2096f4d708f4f',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T13:00:20Z',
  goVersion: 'go1.24.2',
  compiler: 'gc',
  platform: 'linux/amd64',
};
const KUSTOMIZE = 'v5.6.0';
/** The fields that are shown of a server. */
const FIELDS = [
  ...Object.keys(CLIENT),
  'emulationMajor',
  'emulationMinor',
  'minCompatibilityMajor',
  'minCompatibilityMinor',
];

async function runVersion(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const clientOnly = flags.bool('client');
  const output = flags.string('output');
  if (args.length > 0 && !clientOnly) throw new Error(`extra arguments: [${args.join(' ')}]`);
  if (!['', 'yaml', 'json'].includes(output)) throw new Error("--output must be 'yaml' or 'json'");

  let server: JsonObject | undefined;
  let failure: unknown;
  if (!clientOnly) {
    try {
      const answer = await (await invocation.client()).get('/version');
      server = without(Object.fromEntries(FIELDS.map((field) => [field, answer[field]])) as JsonObject);
    } catch (error) {
      failure = error;
    }
  }
  const all: JsonObject = {
    clientVersion: CLIENT,
    kustomizeVersion: KUSTOMIZE,
    ...(server ? { serverVersion: server } : {}),
  };
  if (output === 'json') invocation.println(encodeJson(all, { indent: '  ', declared: true }));
  else if (output === 'yaml') invocation.println(encodeYaml(all));
  else {
    invocation.println(`Client Version: ${VERSION}`);
    invocation.println(`Kustomize Version: ${KUSTOMIZE}`);
    if (server) invocation.println(`Server Version: ${text(server, 'gitVersion')}`);
  }
  if (server) warnOfSkew(invocation, server);
  if (failure) throw failure;
}

function warnOfSkew(invocation: Invocation, server: JsonObject): void {
  const minor = (value: string) => Number(/^v?\d+\.(\d+)/.exec(value)?.[1]);
  const theirs = text(server, 'gitVersion');
  if (Math.abs(minor(VERSION) - minor(theirs)) <= 1) return;
  const short = (value: string) => /^v?(\d+\.\d+)/.exec(value)?.[1] ?? value;
  invocation.complain(
    `WARNING: version difference between client (${short(VERSION)}) and server (${short(theirs)}) exceeds the supported minor version skew of +/-1`,
  );
}
