import type { Command } from '../../command.ts';
import { throwCollected } from '../../errors.ts';
import { text } from '../../fields.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { tabbed } from '../../printers/tab-writer.ts';

export const getContexts: Command = {
  name: 'get-contexts',
  short: 'Describe one or many contexts',
  examples: `
# All contexts
kubectl config get-contexts

# One of them
kubectl config get-contexts my-context`,
  usage: 'get-contexts [(-o|--output=)name)]',
  flags: [
    { name: 'no-headers', type: 'bool', usage: 'Print no headings.' },
    { name: 'output', short: 'o', type: 'string', usage: 'Output format: name.', values: ['name'] },
  ],
  completion: 'contexts',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const output = flags.string('output');
    if (output !== '' && output !== 'name') {
      throw new Error(
        `--output ${output} is not available in kubectl config get-contexts; resetting to default output format`,
      );
    }
    const config = await invocation.kubeconfig().load();
    const errors = args
      .filter((name) => !config.contexts.has(name))
      .map((name) => new Error(`context ${name} not found`));
    const names = (
      args.length === 0 ? [...config.contexts.keys()] : args.filter((name) => config.contexts.has(name))
    ).sort(byCodeUnit);
    const rows = names.map((name) => {
      const context = config.contexts.get(name);
      const current = config.currentContext === name ? '*' : ' ';
      return output === 'name'
        ? name
        : [current, name, text(context, 'cluster'), text(context, 'user'), text(context, 'namespace')].join('\t');
    });
    const headings =
      flags.bool('no-headers') || output === 'name' ? [] : ['CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE'];
    invocation.print(tabbed([...headings, ...rows].map((row) => `${row}\n`).join('')));
    throwCollected(errors);
  },
};
