import { ExitError } from '#kubectl/errors.ts';
import { runOver } from '#kubectl/remote-command.ts';
import type { OutsideCall, OutsideProgram } from '#terminal/outside-program.ts';
import { REMOTE_COMMAND_PROTOCOL } from '#transport/channels.ts';
import { type HttpServer, readBody } from '#transport/http.ts';

/** What a login is to run, and with which streams. */
interface Login {
  readonly node: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** ssh's own exit code: it could not connect, or the connection broke. */
const FAILED = 255;

const USAGE = 'usage: ssh [-tT] [-l root] [root@]NODE [command [argument ...]]\n';

/** Programs of a node's network that are typed in the page's terminal, and run on a node. */
export const NODE_PROGRAMS = ['curl', 'nc', 'nslookup', 'ping', 'wget'] as const;

/** Runs something on a node of the cluster; `refused` words why it cannot be. Returns the exit code. */
async function login(
  server: HttpServer,
  call: OutsideCall,
  { node, command, stdin, tty }: Login,
  refused: (why: string) => string,
): Promise<number> {
  const words = command.map((word) => `&command=${encodeURIComponent(word)}`).join('');
  const answer = await server.upgrade({
    method: 'GET',
    path: `/tabernetes/nodes/${encodeURIComponent(node)}/exec?stdin=${stdin ? 1 : 0}&tty=${tty ? 1 : 0}${words}`,
    headers: { 'sec-websocket-protocol': REMOTE_COMMAND_PROTOCOL, 'user-agent': 'ssh' },
  });
  if (!('socket' in answer)) {
    call.stderr.write(`${refused(new TextDecoder().decode(await readBody(answer)))}\n`);
    return FAILED;
  }
  try {
    await runOver(answer.socket, call, { stdin, tty });
    return 0;
  } catch (error) {
    if (error instanceof ExitError) return error.code;
    if (call.signal.aborted) return FAILED;
    call.stderr.write(`Connection to ${node} closed by remote host.\n`);
    return FAILED;
  }
}

/** `ssh NODE [command]`: a shell on a node. */
export function ssh(server: () => HttpServer): OutsideProgram {
  return async (call) => {
    const { args, stdin, stdout, stderr } = call;
    let terminal: boolean | undefined;
    let at = 0;
    for (; args[at]?.startsWith('-'); at++) {
      const flag = args[at] as string;
      if (/^-t+$/.test(flag)) terminal = true;
      else if (flag === '-T') terminal = false;
      else if (flag === '-l') at++;
      else {
        stderr.write(USAGE);
        return FAILED;
      }
    }
    const [destination, ...command] = args.slice(at);
    if (destination === undefined) {
      stderr.write(USAGE);
      return FAILED;
    }
    const node = destination.replace(/^.*@/, '');
    const tty = (terminal ?? command.length === 0) && stdin.isTerminal;
    const shell = command.length > 0 ? ['bash', '-c', command.join(' ')] : tty ? ['bash', '-i'] : ['bash'];
    const refused = (why: string) =>
      why === 'Name or service not known'
        ? `ssh: Could not resolve hostname ${node}: ${why}`
        : `ssh: connect to host ${node} port 22: ${why}`;
    const code = await login(server(), call, { node, command: shell, stdin: true, tty }, refused);
    if (tty && code !== FAILED && stdout.isTerminal) stderr.write(`Connection to ${node} closed.\n`);
    return code;
  };
}

/** A program that is typed here and runs on the node `home()`, with our streams. */
export function onNode(name: string, home: () => string, server: () => HttpServer): OutsideProgram {
  return async (call) => {
    const tty = call.stdin.isTerminal && call.stdout.isTerminal;
    const node = home();
    const refused = (why: string) => `${name}: it would run on the node ${node}, which cannot be reached: ${why}`;
    const command = [name, ...call.args];
    return login(server(), call, { node, command, stdin: tty || !call.stdin.isTerminal, tty }, refused);
  };
}
