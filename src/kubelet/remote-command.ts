import { internalError, type Status } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import type { Session, SessionOutput } from '#cri/contract.ts';
import { CriError } from '#cri/cri-error.ts';
import { Channel, channelMessage } from '#transport/channels.ts';
import { duplexPair, type Upgraded } from '#transport/http.ts';

/** The subprotocols that are spoken, the best first. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
const NORMAL = 1000;

/** Which streams a client wants. */
export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The best protocol that a client offers. */
export function chooseProtocol(offered: string | undefined): string | undefined {
  const names = (offered ?? '').split(',').map((name) => name.trim());
  return PROTOCOLS.find((name) => names.includes(name));
}

/**
 * Serves exec or attach over a connection: channels for the streams, a Status on the error channel at the end. Input
 * enters the engine as work of `process`. Follows kubelet/pkg/cri/streaming/remotecommand, v1.33.
 */
export function serveRemoteCommand(
  process: Process,
  protocol: string,
  streams: StreamOptions,
  open: (output: SessionOutput) => Promise<Session>,
  verb: 'executing command' | 'attaching to',
): Upgraded {
  const [client, server] = duplexPair();
  let session: Session | undefined;
  let closed = false;
  const early: (() => void)[] = [];
  const act = (name: string, run: (session: Session) => void) => {
    process.post(name, () => {
      if (session) run(session);
      else early.push(() => run(session as Session));
    });
  };
  const send = (channel: number, bytes: Uint8Array) => {
    if (!closed) server.send(channelMessage(channel, bytes));
  };
  const finish = (status: Omit<Status, 'kind' | 'apiVersion' | 'metadata'>) => {
    if (closed) return;
    send(Channel.error, encodeUtf8(JSON.stringify({ metadata: {}, ...status })));
    closed = true;
    server.close(NORMAL, '');
  };
  server.onMessage((message) => {
    const [channel] = message;
    const data = message.slice(1);
    if (channel === Channel.stdin && streams.stdin) act('input', (to) => to.write(data));
    else if (channel === Channel.close && data[0] === Channel.stdin) act('input ends', (to) => to.closeInput());
    else if (channel === Channel.resize && streams.tty) {
      const size = /"Width":(\d+),"Height":(\d+)/.exec(decodeUtf8(data));
      if (size) act('resize', (to) => to.resize(Number(size[1]), Number(size[2])));
    }
  });
  server.onClose(() => {
    if (closed) return;
    closed = true;
    act('client hangs up', (to) => to.hangUp());
  });
  const output: SessionOutput = {
    write: (stream, bytes) => {
      if (stream === 'stdout' ? streams.stdout : streams.stderr) send(Channel[stream], bytes);
    },
    exited: (code) => finish(exitStatus(code, verb)),
  };
  // An empty message tells the client that the connection stands.
  send(streams.stdout ? Channel.stdout : streams.stderr ? Channel.stderr : Channel.error, new Uint8Array(0));
  process.spawn(verb, async () => {
    try {
      session = await open(output);
      for (const run of early.splice(0)) run();
    } catch (error) {
      if (!(error instanceof CriError)) throw error;
      const { message, reason, details, code } = internalError(
        `error ${verb} ${verb === 'executing command' ? 'in container' : 'container'}: ${error.code === 'Unknown' ? error.description : error.message}`,
      ).status;
      finish({ status: 'Failure', message, reason, details, code });
    }
  });
  return { protocol, socket: client };
}

function exitStatus(code: number, verb: string): Omit<Status, 'kind' | 'apiVersion' | 'metadata'> {
  if (code === 0 || verb === 'attaching to') return { status: 'Success' };
  return {
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}
