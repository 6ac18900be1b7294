import { timeZoneRules } from './time-zone-rules.ts';

// Time zones by their rules (POSIX TZ), so that what is scheduled does not depend on the host's own data.

/** When a zone changes over: in a month, the n-th weekday (5: the last), seconds after midnight. Or a day of the year. */
interface Change {
  readonly month: number;
  readonly week: number;
  readonly day: number;
  readonly seconds: number;
}

export interface TimeZone {
  readonly name: string;
  /** Seconds to add to UTC. */
  offsetAt(ms: number): number;
}

let rules: Map<string, string> | undefined;

function allRules(): Map<string, string> {
  if (rules) return rules;
  rules = new Map();
  for (const [rule, zones] of timeZoneRules) {
    for (const group of zones.split(' ')) {
      const slash = group.lastIndexOf('/') + 1;
      for (const name of group.slice(slash).split(',')) rules.set(group.slice(0, slash) + name, rule);
    }
  }
  return rules;
}

/** The zone of that name; UTC for an empty one. Undefined when there is none: names count in their exact spelling. */
export function timeZone(name: string): TimeZone | undefined {
  const rule = name === '' ? 'UTC0' : allRules().get(name);
  return rule === undefined ? undefined : parseRule(name || 'UTC', rule);
}

const NAME = '(?:<[^>]+>|[A-Za-z]+)';
const RULE = new RegExp(`^${NAME}([-+0-9:]+)(?:${NAME}([-+0-9:]+)?,([^,]+),([^,]+))?$`);

/** Seconds of `2`, `-3:30`, `+25`. */
function seconds(text: string): number {
  const [h = '0', m = '0', s = '0'] = text.replace(/^[-+]/, '').split(':');
  return (text.startsWith('-') ? -1 : 1) * (Number(h) * 3600 + Number(m) * 60 + Number(s));
}

function parseChange(text: string): Change {
  const [date = '', time = '2'] = text.split('/');
  const [month = 1, week = 1, day = 0] = date.slice(1).split('.').map(Number);
  return { month, week, day, seconds: seconds(time) };
}

function parseRule(name: string, rule: string): TimeZone {
  const [, standardText = '0', summerText, from, until] = RULE.exec(rule) ?? [];
  const standard = -seconds(standardText);
  if (!from || !until) return { name, offsetAt: () => standard };
  const summer = summerText ? -seconds(summerText) : standard + 3600;
  const begin = parseChange(from);
  const end = parseChange(until);
  return {
    name,
    offsetAt(ms) {
      const year = new Date(ms + standard * 1000).getUTCFullYear();
      const begins = instantOf(begin, year) - standard * 1000;
      const ends = instantOf(end, year) - summer * 1000;
      const isSummer = begins < ends ? ms >= begins && ms < ends : ms >= begins || ms < ends;
      return isSummer ? summer : standard;
    },
  };
}

/** Local time as if it were UTC, ms. */
function instantOf({ month, week, day, seconds: after }: Change, year: number): number {
  const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  let date = 1 + ((day - first + 7) % 7) + (week - 1) * 7;
  while (date > days) date -= 7;
  return Date.UTC(year, month - 1, date) + after * 1000;
}
