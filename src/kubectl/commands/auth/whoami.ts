import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Command } from '../../command.ts';
import { knownResource } from '../../creating.ts';
import { list, object, text } from '../../fields.ts';
import { printFlags } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { TabWriter } from '../../printers/tab-writer.ts';
import { ResourceClient } from '../../resource-client.ts';

const GROUP = 'authentication.k8s.io';

export const whoami: Command = {
  name: 'whoami',
  short: 'Experimental: Check self subject attributes',
  long: `Experimental: ask the server who it takes you for: your name, groups and what else it knows of you.`,
  examples: `
# Who am I?
kubectl auth whoami

# As JSON
kubectl auth whoami -o json`,
  usage: 'whoami',
  flags: printFlags,
  completion: 'none',
  run: async (invocation) => {
    const printer =
      invocation.flags.string('output') === '' ? undefined : await objectPrinter(invocation, { declared: true });
    const resource = knownResource(GROUP, 'v1', 'selfsubjectreviews', 'SelfSubjectReview', false);
    const client = new ResourceClient(await invocation.client(), resource, '');
    const metadata = { creationTimestamp: null };
    const answer = await client
      .create({ kind: 'SelfSubjectReview', apiVersion: `${GROUP}/v1`, metadata, status: { userInfo: {} } })
      .catch((error: unknown) => {
        if (!isStatus(error, 'Forbidden')) throw error;
        throw new Error(
          'the selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it',
        );
      });
    if (printer) return printer.print(answer, '');
    const user = object(answer, 'status', 'userInfo');
    const writer = new TabWriter((piece) => invocation.print(piece));
    const row = (name: string, value: string) => writer.write(`${name}\t${value}\n`);
    row('ATTRIBUTE', 'VALUE');
    if (text(user, 'username') !== '') row('Username', text(user, 'username'));
    if (text(user, 'uid') !== '') row('UID', text(user, 'uid'));
    const groups = list(user, 'groups');
    if (groups.length > 0) row('Groups', formatValue(groups));
    const extra = Object.entries(object(user, 'extra')).sort(([a], [b]) => byCodeUnit(a, b));
    for (const [key, values] of extra) row(`Extra: ${key}`, formatValue(values));
    writer.flush();
  },
};
