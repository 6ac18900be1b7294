import { strftime } from '../os/strftime.ts';
import type { Applet } from './applet.ts';

/** Prints the virtual time, in UTC. */
export const date: Applet = {
  name: 'date',
  usage: '[OPTIONS] [+FMT] [[-s] TIME]',
  options: 'ud:Is:Rr:D:',
  long: { utc: 'u', date: 'd', universal: 'u', 'iso-8601': 'I' },
  async run(call) {
    let ms = call.self.process.clock.now();
    const given = call.value('d');
    if (given !== undefined) {
      ms = /^@\d+$/.test(given)
        ? Number(given.slice(1)) * 1000
        : Date.parse(
            /[zZ]|[-+]\d\d:?\d\d$/.test(given) || given === 'now'
              ? given
              : `${given.replace(' ', 'T')}Z`.replace(/^(\d{4}-\d\d-\d\d)Z$/, '$1T00:00:00Z'),
          );
      if (given === 'now') ms = call.self.process.clock.now();
      if (Number.isNaN(ms)) {
        await call.fail(`invalid date '${given}'`);
        return 1;
      }
    }
    if (call.has('s')) {
      await call.fail(`can't set date: Operation not permitted`);
      return 1;
    }
    const format = call.operands.find((operand) => operand.startsWith('+'))?.slice(1);
    const text =
      format ?? (call.has('R') ? '%a, %d %b %Y %H:%M:%S %z' : call.has('I') ? '%Y-%m-%d' : '%a %b %e %H:%M:%S %Z %Y');
    await call.self.print(`${strftime(text, ms)}\n`);
    return 0;
  },
};
