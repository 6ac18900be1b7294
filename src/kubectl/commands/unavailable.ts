import type { Command, Invocation } from '../command.ts';

/** Commands that kubectl has and that cannot work here: they say so, after what they have against their arguments. */
const refusing = (
  name: string,
  short: string,
  usage: string,
  why: string,
  check: (invocation: Invocation) => void = () => {},
): Command => ({
  name,
  short: `${short} (not available here)`,
  long: `Not available here: ${why}.`,
  usage,
  flags: [],
  run: async (invocation) => {
    check(invocation);
    throw new Error(`${invocation.path} is not available here: ${why}`);
  },
});

const NO_PORTS = 'nothing listens around this kubectl; curl in the terminal reaches Pods and Services';

export const portForward = refusing(
  'port-forward',
  'Forward one or more local ports to a pod',
  'port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
  NO_PORTS,
  (invocation) => {
    if (invocation.args.length < 2)
      throw invocation.usageError('TYPE/NAME and list of ports are required for port-forward');
  },
);

export const proxy = refusing(
  'proxy',
  'Run a proxy to the Kubernetes API server',
  'proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]',
  NO_PORTS,
);

export const cp = refusing(
  'cp',
  'Copy files and directories to and from containers',
  'cp <file-spec-src> <file-spec-dest>',
  'containers have no tar; use exec with cat',
  ({ args }) => {
    if (args.length !== 2) throw new Error('source and destination are required');
  },
);

export const debug = refusing(
  'debug',
  'Create debugging sessions for troubleshooting workloads and nodes',
  'debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]',
  'no ephemeral containers run; use exec, or ssh NODE in the terminal',
);
