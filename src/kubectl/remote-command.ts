import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { Channel, channelMessage, REMOTE_COMMAND_PROTOCOL } from '#transport/channels.ts';
import type { Duplex } from '#transport/http.ts';
import type { Invocation } from './command.ts';
import { interruptible, type KubectlContext } from './context.ts';
import { ExitError } from './errors.ts';
import { isObject, objects, text } from './fields.ts';
import type { Query } from './rest-client.ts';

/** Which streams of ours a remote process gets. With a terminal, stdin is in raw mode as long as it runs. */
export interface RemoteStreams {
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** Whether the process can have a terminal: stdin must be one. Says so on stderr when it is asked for in vain. */
export function terminalFor(
  invocation: Invocation,
  wanted: { readonly stdin: boolean; readonly tty: boolean; readonly quiet: boolean },
): boolean {
  if (!wanted.stdin || !wanted.tty) return false;
  if (invocation.context.stdin.isTerminal) return true;
  if (!wanted.quiet) {
    invocation.complain('Unable to use a TTY - input is not a terminal or the right kind of file');
  }
  return false;
}

/**
 * Connects our streams to a process in a container and waits for its end. Throws ExitError with its exit code, or an
 * error with the server's message. Follows client-go/tools/remotecommand, v1.33.
 */
export async function runRemoteCommand(
  invocation: Invocation,
  path: string,
  query: Query,
  streams: RemoteStreams,
): Promise<void> {
  const client = await invocation.client();
  const { socket } = await client.upgrade(path, query, [REMOTE_COMMAND_PROTOCOL]);
  await runOver(socket, invocation.context, streams);
}

/** The streams of a program of ours that stands for a remote one. */
export type RemoteContext = Pick<KubectlContext, 'stdin' | 'stdout' | 'stderr' | 'signal'>;

/** The same over a connection that stands. */
export async function runOver(socket: Duplex, context: RemoteContext, streams: RemoteStreams): Promise<void> {
  const { stdin, signal } = context;
  if (streams.tty) stdin.setRaw?.(true);
  const forget = streams.tty ? followSize(context, socket) : undefined;
  try {
    const ended = new Promise<JsonValue | undefined>((resolve, reject) => listen(context, socket, resolve, reject));
    // Ends with the connection; what it fails with closes that.
    if (streams.stdin) sendInput(context, socket).catch(() => socket.close());
    checkStatus(await interruptible(ended, signal, () => socket.close()));
  } finally {
    forget?.();
    if (streams.tty) stdin.setRaw?.(false);
  }
}

/** Writes what comes out; the error channel's message, if any, is the result once the connection has ended. */
function listen(
  context: RemoteContext,
  socket: Duplex,
  resolve: (status: JsonValue | undefined) => void,
  reject: (error: Error) => void,
): void {
  let status: string | undefined;
  socket.onMessage((message) => {
    const data = message.subarray(1);
    if (message[0] === Channel.stdout) context.stdout.write(data.slice());
    else if (message[0] === Channel.stderr) context.stderr.write(data.slice());
    else if (message[0] === Channel.error) status = (status ?? '') + decodeUtf8(data);
  });
  socket.onClose((code, reason) => {
    if (status) {
      try {
        resolve(JSON.parse(status) as JsonValue);
      } catch (error) {
        reject(new Error(`error stream protocol error: ${(error as Error).message} in ${goQuote(status)}`));
      }
    } else if (code === 1000) resolve(undefined);
    else reject(new Error(`error reading from error stream: websocket: close ${code}${reason ? `: ${reason}` : ''}`));
  });
}

async function sendInput(context: RemoteContext, socket: Duplex): Promise<void> {
  for (;;) {
    const bytes = await context.stdin.read();
    // After the end of the connection what is sent goes nowhere, and the end of the command ends the reading.
    if (!bytes) return socket.send(Uint8Array.of(Channel.close, Channel.stdin));
    socket.send(channelMessage(Channel.stdin, bytes));
  }
}

/** Tells the size of our terminal, now and when it changes. */
function followSize(context: RemoteContext, socket: Duplex): (() => void) | undefined {
  const tell = () => {
    const size = context.stdout.size?.();
    if (!size) return;
    const text = JSON.stringify({ Width: size.columns, Height: size.rows });
    socket.send(channelMessage(Channel.resize, encodeUtf8(text)));
  };
  tell();
  return context.stdin.onResize?.(tell);
}

function checkStatus(status: JsonValue | undefined): void {
  if (status === undefined) return;
  const protocol = (message: string) => new Error(`error stream protocol error: ${message}`);
  const state = text(status, 'status');
  if (state === 'Success') return;
  if (state !== 'Failure') throw protocol('unknown error');
  if (text(status, 'reason') !== 'NonZeroExitCode') throw new Error(text(status, 'message'));
  const details = (status as JsonObject)['details'];
  if (!isObject(details)) throw protocol('details must be set');
  const cause = objects(details, 'causes').find((each) => text(each, 'reason') === 'ExitCode');
  if (!cause) throw protocol('no ExitCode cause given');
  const code = text(cause, 'message');
  if (!/^\d{1,3}$/.test(code)) throw protocol(`invalid exit code value ${goQuote(code)}`);
  throw new ExitError(Number(code), `command terminated with exit code ${code}`);
}
