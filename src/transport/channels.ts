/** The channels of Kubernetes' remote command protocol over a WebSocket: the first byte of each message. */
export const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The newest subprotocol: like v4 with a message `[255, channel]` that half-closes a channel. */
export const REMOTE_COMMAND_PROTOCOL = 'v5.channel.k8s.io';

/** One message of the protocol. Follows client-go/tools/remotecommand, v1.33. */
export function channelMessage(channel: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
}
