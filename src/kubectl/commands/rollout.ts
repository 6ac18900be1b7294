import type { Command } from '../command.ts';
import { history } from './rollout/history.ts';
import { pause, restart, resume } from './rollout/changes.ts';
import { status } from './rollout/status.ts';
import { undo } from './rollout/undo.ts';

export const rollout: Command = {
  name: 'rollout',
  short: 'Manage the rollout of a resource',
  long: `Watch, stop and take back how a workload gets a new template.

 It works for deployments, daemonsets and statefulsets.`,
  examples: `
# How far a Deployment has come
kubectl rollout status deployment/web

# Back to the template before
kubectl rollout undo deployment/web

# New Pods from the same template
kubectl rollout restart deployment/web
kubectl rollout restart deployment --selector=app=web`,
  usage: 'rollout SUBCOMMAND',
  flags: [],
  subcommands: [history, pause, restart, resume, status, undo],
};
