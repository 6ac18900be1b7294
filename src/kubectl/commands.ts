import type { Command } from './command.ts';
import { annotate } from './commands/annotate.ts';
import { apiResources } from './commands/api-resources.ts';
import { apiVersions } from './commands/api-versions.ts';
import { apply } from './commands/apply.ts';
import { attach } from './commands/attach.ts';
import { auth } from './commands/auth.ts';
import { autoscale } from './commands/autoscale.ts';
import { certificate } from './commands/certificate.ts';
import { clusterInfo } from './commands/cluster-info.ts';
import { config } from './commands/config.ts';
import { cordon, uncordon } from './commands/cordon.ts';
import { create } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { diff } from './commands/diff.ts';
import { drain } from './commands/drain.ts';
import { edit } from './commands/edit.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { explain } from './commands/explain.ts';
import { describe } from './commands/describe.ts';
import { expose } from './commands/expose.ts';
import { get } from './commands/get.ts';
import { label } from './commands/label.ts';
import { logs } from './commands/logs.ts';
import { options } from './commands/options.ts';
import { patch } from './commands/patch.ts';
import { replace } from './commands/replace.ts';
import { rollout } from './commands/rollout.ts';
import { run } from './commands/run.ts';
import { scale } from './commands/scale.ts';
import { set } from './commands/set.ts';
import { taint } from './commands/taint.ts';
import { top } from './commands/top.ts';
import { cp, debug, portForward, proxy } from './commands/unavailable.ts';
import { version } from './commands/version.ts';
import { wait } from './commands/wait.ts';
import type { CommandGroup } from './help.ts';

/** Every command, in the groups in which help lists them. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Basic Commands (Beginner)', commands: [create, expose, run, set] },
  { title: 'Basic Commands (Intermediate)', commands: [explain, get, edit, deleteCommand] },
  { title: 'Deploy Commands', commands: [rollout, scale, autoscale] },
  { title: 'Cluster Management Commands', commands: [certificate, clusterInfo, top, cordon, uncordon, drain, taint] },
  {
    title: 'Troubleshooting and Debugging Commands',
    commands: [describe, logs, attach, exec, portForward, proxy, cp, auth, debug, events],
  },
  { title: 'Advanced Commands', commands: [diff, apply, patch, replace, wait] },
  { title: 'Settings Commands', commands: [label, annotate] },
  { title: 'Other Commands', commands: [apiResources, apiVersions, config, version] },
];

/** `options` is in no list: help pages name it. */
export const commands: readonly Command[] = [...commandGroups.flatMap((group) => group.commands), options];
