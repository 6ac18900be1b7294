import type { Command, Invocation } from '../../command.ts';
import { filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { DESCRIBE_WIDTHS, tabbed } from '../../printers/tab-writer.ts';
import type { ResourceInfo } from '../../resource-builder.ts';
import type { Revision } from './revisions.ts';
import { describeTemplate, revisionsOf } from './revisions.ts';
import { checkKind, rolloutTargets, WORKLOADS } from './targets.ts';

export const history: Command = {
  name: 'history',
  short: 'View rollout history',
  long: 'Show the revisions that a workload has had, or the template of one of them.',
  examples: `
# All revisions
kubectl rollout history deployment/web

# The third one
kubectl rollout history daemonset/agent --revision=3`,
  usage: 'history (TYPE NAME | TYPE/NAME) [flags]',
  flags: [
    ...printFlags,
    ...filenameFlags('that name what to look at.'),
    { name: 'revision', type: 'int', usage: 'Show this revision, with its template.' },
    selector,
  ],
  completion: WORKLOADS,
  run: runHistory,
};

async function runHistory(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const wanted = flags.int('revision');
  if (wanted < 0 && (args.length > 0 || flags.strings('filename').length > 0))
    throw new Error(`revision must be a positive integer: ${wanted}`);
  const result = await rolloutTargets(invocation);
  const printer = await objectPrinter(invocation);
  await result.visit(async (info) => {
    const revisions = [...(await historyOf(invocation, info))].sort((a, b) => a.number - b.number);
    const chosen = revisions.filter((revision) => wanted === 0 || revision.number === wanted);
    if (wanted > 0 && chosen.length === 0 && (revisions.length > 0 || flags.string('output') !== ''))
      throw new Error('unable to find the specified revision');
    if (flags.string('output') !== '') {
      for (const revision of chosen) printer.print(revision.object, '');
      return;
    }
    const title = wanted > 0 ? `with revision #${wanted}` : '';
    if (info.object) printer.print(info.object, `${title}\n${overview(chosen, wanted)}`);
  });
}

async function historyOf(invocation: Invocation, { resource, object }: ResourceInfo): Promise<readonly Revision[]> {
  checkKind(resource, 'history', 'history viewer');
  return object ? revisionsOf(invocation, object) : [];
}

function overview(revisions: readonly Revision[], wanted: number): string {
  const [first] = revisions;
  if (!first) return 'No rollout history found.';
  if (wanted > 0) return describeTemplate(first.template);
  const rows = revisions.map((revision) => `${revision.number}\t${revision.cause || '<none>'}\n`);
  return tabbed(`REVISION\tCHANGE-CAUSE\n${rows.join('')}`, DESCRIBE_WIDTHS);
}
