import { encodeUtf8 } from '#base/utf8.ts';
import { chooseProtocol, serveRemoteCommand } from '#kubelet/remote-command.ts';
import type { HttpRequest, HttpResponse, Upgraded } from '#transport/http.ts';
import { cutBy } from './cut-by.ts';
import type { Machine } from './machine.ts';

const PATH = /^\/tabernetes\/nodes\/([^/?]+)\/exec(?:\?(.*))?$/;

/** Whether a path leads to a shell on a node, which needs no API server. */
export const isNodeShell = (path: string): boolean => PATH.test(path);

/**
 * Logs in at a node: runs `command` (each one a word) there, with the channels of exec and its parameters `stdin`, `tty`.
 * `home` is the node that everybody is at already. What stands in the way is told in the words of ssh: 404 for a node
 * that does not exist, 503 for one that cannot be reached.
 */
export function nodeShell(
  machines: ReadonlyMap<string, Machine>,
  home: Machine | undefined,
  request: HttpRequest,
): HttpResponse | Upgraded {
  const [, name = '', search = ''] = PATH.exec(request.path) ?? [];
  const machine = machines.get(decodeURIComponent(name));
  if (!machine) return text(404, 'Name or service not known');
  const { process } = machine;
  if (!process) return text(503, 'No route to host');
  if (machine !== home && (machine.host.unplugged || home?.host.unplugged)) return text(503, 'Connection timed out');
  const query = search.split('&').map((pair) => pair.split('=').map((part) => decodeURIComponent(part)));
  const values = (key: string) => query.filter(([name]) => name === key).map(([, value = '']) => value);
  const protocol = chooseProtocol(request.headers['sec-websocket-protocol']);
  if (!protocol) return text(400, 'no supported subprotocol was offered');
  const [stdin, tty] = [values('stdin')[0] === '1', values('tty')[0] === '1'];
  const answer = serveRemoteCommand(
    process,
    protocol,
    { stdin, stdout: true, stderr: !tty, tty },
    async (output) => machine.exec({ command: values('command'), stdin, tty }, output),
    'executing command',
  );
  const session = cutBy(process, answer);
  return machine === home ? session : machine.overCable(session);
}

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: encodeUtf8(body),
});
