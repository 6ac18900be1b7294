import type { JsonObject } from '#apimachinery/json.ts';
import type { Invocation } from './command.ts';
import { objects, text } from './fields.ts';
import { defaultContainer, hasContainer, podKey, podPath } from './pods.ts';
import { runRemoteCommand, terminalFor } from './remote-command.ts';

export interface AttachSettings {
  /** Empty: the one that is meant when none is named. */
  readonly container: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly quiet: boolean;
}

/** Connects our streams to the process of a container that runs. Follows kubectl/pkg/cmd/attach, v1.33. */
export async function attachToPod(invocation: Invocation, pod: JsonObject, settings: AttachSettings): Promise<void> {
  const { quiet, stdin } = settings;
  const { name } = podKey(pod);
  if (settings.container !== '' && !hasContainer(pod, settings.container))
    throw new Error(`cannot attach to the container: container ${settings.container} not found in pod ${name}`);
  const container = settings.container || defaultContainer(invocation, pod, quiet);
  const own = hasTerminal(pod, container);
  if (settings.tty && !own && !quiet)
    invocation.complain(`error: Unable to use a TTY - container ${container} did not allocate one`);
  // What runs on a terminal is only understood by a terminal.
  const tty = terminalFor(invocation, { stdin, tty: own, quiet });
  if (!quiet) invocation.complain("If you don't see a command prompt, try pressing enter.");
  await runRemoteCommand(
    invocation,
    podPath(pod, 'attach'),
    {
      container,
      stdin: stdin ? 'true' : '',
      stdout: 'true',
      stderr: tty ? '' : 'true',
      tty: tty ? 'true' : '',
    },
    { stdin, tty },
  );
  if (quiet || !stdin || !tty || text(pod, 'spec', 'restartPolicy') !== 'Always') return;
  const again = `'kubectl attach ${name} -c ${container} -i -t'`;
  const ephemeral = objects(pod, 'spec', 'ephemeralContainers').some((each) => text(each, 'name') === container);
  invocation.println(
    ephemeral
      ? `Session ended, the ephemeral container will not be restarted but may be reattached using ${again} if it is still running`
      : `Session ended, resume using ${again} command when the pod is running`,
  );
}

function hasTerminal(pod: JsonObject, name: string): boolean {
  return ['containers', 'initContainers', 'ephemeralContainers'].some((field) =>
    objects(pod, 'spec', field).some((each) => text(each, 'name') === name && each['tty'] === true),
  );
}
