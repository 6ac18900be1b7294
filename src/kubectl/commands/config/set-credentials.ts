import type { JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeBase64 } from '#base/base64.ts';
import type { Command } from '../../command.ts';
import { without } from '../../fields.ts';
import { commandHelp } from '../../help.ts';

export const setCredentials: Command = {
  name: 'set-credentials',
  short: 'Set a user entry in kubeconfig',
  long: `Set fields of a user, a new one or one that is there. Other fields stay as they are.

 A user has a client certificate with its key, a bearer token, or a user name with a password.`,
  examples: `
# A bearer token
kubectl config set-credentials me --token=secret`,
  usage:
    'set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password]',
  flags: [
    { name: 'client-certificate', type: 'string', usage: 'The file with the certificate.', values: 'files' },
    { name: 'client-key', type: 'string', usage: 'The file with its key.', values: 'files' },
    { name: 'embed-certs', type: 'bool', usage: 'Keep the content of the files instead of their names.' },
    { name: 'password', type: 'string', usage: 'The password.' },
    { name: 'token', type: 'string', usage: 'The bearer token.' },
    { name: 'username', type: 'string', usage: 'The user name.' },
  ],
  completion: 'users',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const [name] = args;
    if (args.length !== 1 || name === undefined) {
      invocation.print(commandHelp(setCredentials, invocation.path, []));
      throw new Error(`unexpected args: [${args.join(' ')}]`);
    }
    if (name === '') throw new Error('you must specify a non-empty user name');
    const methods = [
      ...(flags.string('token') ? ['--token'] : []),
      ...(flags.string('username') || flags.string('password') ? ['--username/--password'] : []),
    ];
    if (methods.length > 1) {
      throw new Error(`you cannot specify more than one authentication method at the same time: ${methods.join(', ')}`);
    }
    const files = invocation.kubeconfig();
    const before = (await files.load()).users.get(name);
    const changes: [string, JsonValue | undefined][] = [];
    for (const flag of ['client-certificate', 'client-key']) {
      if (!flags.changed(flag)) continue;
      const embed = flags.bool('embed-certs');
      changes.push([flag, embed ? undefined : flags.string(flag) || undefined]);
      changes.push([`${flag}-data`, embed ? encodeBase64(await invocation.readBytes(flags.string(flag))) : undefined]);
    }
    for (const flag of ['token', 'username', 'password'])
      if (flags.changed(flag)) changes.push([flag, flags.string(flag) || undefined]);
    if (flags.string('token') !== '') changes.push(['username', undefined], ['password', undefined]);
    if (flags.string('username') !== '') changes.push(['token', undefined]);
    await files.setStanza('users', name, without({ ...before, ...Object.fromEntries(changes) }));
    invocation.println(`User ${goQuote(name)} set.`);
  },
};
