import type { FieldError } from '#apimachinery/field-error.ts';
import { invalidField, keyed } from '#apimachinery/validation.ts';

export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted';

/** A level as some release had it; minor versions of 1.x, Infinity for `latest`. */
export interface LevelVersion {
  readonly level: PodSecurityLevel;
  readonly minor: number;
}

/** What a namespace's labels ask of its Pods. */
export interface PodSecurityPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'] satisfies PodSecurityLevel[];
const VERSION = /^v1\.(0|[1-9][0-9]*)$/;
const PRIVILEGED: LevelVersion = { level: 'privileged', minor: Infinity };

/** `baseline:latest`, `restricted:v1.27`. */
export const levelText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;

/** Whether `a` allows less than `b`. */
export const isStricter = (a: PodSecurityLevel, b: PodSecurityLevel): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);

export const sameLevel = (a: LevelVersion, b: LevelVersion): boolean => a.level === b.level && a.minor === b.minor;

/**
 * The policy that labels ask for, and what is wrong with them. What cannot be read is restricted where it is enforced, and
 * privileged elsewhere. Follows PolicyToEvaluate of pod-security-admission/api/helpers.go, v1.33.
 */
export function podSecurityPolicy(labels: Readonly<Record<string, string>> = {}): {
  readonly policy: PodSecurityPolicy;
  readonly errors: readonly FieldError[];
} {
  const errors: FieldError[] = [];
  const complain = (label: string, why: string) =>
    errors.push(invalidField(keyed('metadata.labels', PREFIX + label), labels[PREFIX + label], why));
  const levelOf = (mode: string, otherwise: PodSecurityLevel): PodSecurityLevel | undefined => {
    const text = labels[PREFIX + mode];
    if (text === undefined) return undefined;
    if (LEVELS.includes(text)) return text as PodSecurityLevel;
    complain(mode, `must be one of ${LEVELS.join(', ')}`);
    return otherwise;
  };
  const minorOf = (mode: string): number | undefined => {
    const text = labels[`${PREFIX}${mode}-version`];
    if (text === undefined || text === 'latest') return text && Infinity;
    const minor = VERSION.exec(text)?.[1];
    if (minor !== undefined && Number(minor) <= Number.MAX_SAFE_INTEGER) return Number(minor);
    complain(`${mode}-version`, 'must be "latest" or "v1.x"');
    return Infinity;
  };
  const enforceLevel = levelOf('enforce', 'restricted');
  const enforceIsValid = enforceLevel !== undefined && errors.length === 0;
  const enforce = { level: enforceLevel ?? PRIVILEGED.level, minor: minorOf('enforce') ?? Infinity };
  const audit = { level: levelOf('audit', 'privileged') ?? PRIVILEGED.level, minor: minorOf('audit') ?? Infinity };
  const warnLevel = levelOf('warn', 'privileged');
  const warnMinor = minorOf('warn');
  const follows = warnLevel === undefined && enforceIsValid && isStricter(enforce.level, PRIVILEGED.level);
  const warn = {
    level: warnLevel ?? (follows ? enforce.level : PRIVILEGED.level),
    minor: warnMinor ?? (follows ? enforce.minor : Infinity),
  };
  return { policy: { enforce, audit, warn }, errors };
}
