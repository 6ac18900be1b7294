import { goQuote, invalidField, isQualifiedName, isValidLabelValue, keyed } from './validation.ts';

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without duplicates. */
  readonly values: readonly string[];
}

/** A parsed selector: all requirements must hold. An empty list selects everything. */
export type LabelSelectorTerms = readonly LabelRequirement[];

/** A selector that does not parse; the message is upstream's. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

interface Token {
  readonly kind:
    | ')'
    | ','
    | '!'
    | '=='
    | '='
    | '>'
    | 'in'
    | '<'
    | '!='
    | 'notin'
    | '('
    | 'identifier'
    | 'end'
    | 'error';
  readonly text: string;
}

const SYMBOLS = new Set(['=', '!', '(', ')', ',', '>', '<']);
const OPERATOR_TOKENS = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const isSpace = (char: string) => char === ' ' || char === '\t' || char === '\r' || char === '\n';

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text[at] as string)) at++;
    if (at >= text.length) {
      tokens.push({ kind: 'end', text: '' });
      return tokens;
    }
    if (SYMBOLS.has(text[at] as string)) {
      const two = text.slice(at, at + 2);
      const symbol = OPERATOR_TOKENS.has(two) ? two : (text[at] as string);
      tokens.push({ kind: symbol as Token['kind'], text: symbol });
      at += symbol.length;
      continue;
    }
    let end = at;
    while (end < text.length && !SYMBOLS.has(text[end] as string) && !isSpace(text[end] as string)) end++;
    const word = text.slice(at, end);
    tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    at = end;
  }
}

/** Parses a label selector. Throws {@link SelectorError}. Follows apimachinery/pkg/labels/selector.go, v1.33. */
export function parseLabelSelector(text: string): LabelSelectorTerms {
  const tokens = tokenize(text);
  let at = 0;
  // Keywords stand for themselves where a key or a value is expected.
  const asValue = (token: Token): Token =>
    token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token;
  const look = () => asValue(tokens[at] as Token);
  const take = () => asValue(tokens[at++] as Token);
  const fail = (message: string): never => {
    throw new SelectorError(message);
  };
  const requirements: LabelRequirement[] = [];
  if (look().kind === 'end') return requirements;
  for (;;) {
    const token = look();
    if (token.kind !== 'identifier' && token.kind !== '!') {
      fail(
        token.kind === 'end'
          ? `found '', expected: identifier after ','`
          : `found '${token.text}', expected: !, identifier, or 'end of string'`,
      );
    }
    requirements.push(requirement());
    const next = take();
    if (next.kind === 'end') break;
    if (next.kind !== ',') fail(`found '${next.text}', expected: ',' or 'end of string'`);
    const after = look();
    if (after.kind !== 'identifier' && after.kind !== '!')
      fail(`found '${after.text}', expected: identifier after ','`);
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

  function requirement(): LabelRequirement {
    try {
      return parseRequirement();
    } catch (error) {
      throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error;
    }
  }

  function parseRequirement(): LabelRequirement {
    let token = take();
    const absent = token.kind === '!';
    if (absent) token = take();
    if (token.kind !== 'identifier') fail(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const keyErrors = isQualifiedName(key);
    if (keyErrors.length) fail(`<nil>: ${invalidField('', key, keyErrors.join('; ')).text}`);
    const next = look();
    if (absent) return { key, operator: '!', values: [] };
    if (next.kind === 'end' || next.kind === ',') return { key, operator: 'exists', values: [] };
    const operator = tokens[at++] as Token;
    switch (operator.kind) {
      case 'in':
      case 'notin':
        return checked(key, operator.kind, valueList());
      case '=':
      case '==':
      case '!=':
        return checked(key, operator.kind, [exactValue()]);
      case '>':
      case '<':
        return checked(key, operator.kind === '>' ? 'gt' : 'lt', [exactValue()]);
      default:
        return fail(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  function exactValue(): string {
    const token = look();
    if (token.kind === 'end' || token.kind === ',') return '';
    at++;
    return token.kind === 'identifier' ? token.text : fail(`found '${token.text}', expected: identifier`);
  }

  function valueList(): string[] {
    const open = take();
    if (open.kind !== '(') fail(`found '${open.text}' expected: '('`);
    const first = look();
    if (first.kind === ')') {
      at++;
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',')
      fail(`found '${first.text}', expected: ',', ')' or identifier`);
    const values: string[] = [];
    for (;;) {
      const token = take();
      if (token.kind === 'identifier') {
        values.push(token.text);
        const next = look();
        if (next.kind === ',') continue;
        if (next.kind === ')') break;
        fail(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        if (values.length === 0) values.push('');
        const next = look();
        if (next.kind === ')') {
          values.push('');
          break;
        }
        if (next.kind === ',') {
          at++;
          values.push('');
        }
      } else fail(`found '${token.text}', expected: ',', or identifier`);
    }
    at++;
    return values;
  }

  function checked(key: string, operator: LabelOperator, list: readonly string[]): LabelRequirement {
    const values = [...new Set(list)].sort();
    const errors: string[] = [];
    if (operator === 'gt' || operator === 'lt') {
      values.forEach((value, i) => {
        if (!isInt64(value)) {
          const error = invalidField(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer");
          errors.push(`${error.field}: ${error.text}`);
        }
      });
    }
    values.forEach((value, i) => {
      const messages = isValidLabelValue(value);
      if (messages.length) {
        const error = invalidField(keyed(`values[${i}]`, key), value, messages.join('; '));
        errors.push(`${error.field}: ${error.text}`);
      }
    });
    if (errors.length) fail(errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`);
    return { key, operator, values };
  }
}

function isInt64(text: string): boolean {
  if (!/^[+-]?\d+$/.test(text)) return false;
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether labels meet all requirements. */
export function matchesLabels(selector: LabelSelectorTerms, labels: Labels): boolean {
  for (const requirement of selector) if (!meets(requirement, labels)) return false;
  return true;
}

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      if (value === undefined || !isInt64(value)) return false;
      const wanted = BigInt(values[0] as string);
      return operator === 'gt' ? BigInt(value) > wanted : BigInt(value) < wanted;
    }
  }
}

/** metav1.LabelSelector, as objects hold it. */
export interface LabelSelectorLike {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

const EXPRESSION_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

/** The requirements of an object's selector. Absent selects nothing (undefined), an empty one everything. */
export function labelSelectorTerms(selector: LabelSelectorLike | undefined): LabelSelectorTerms | undefined {
  if (!selector) return undefined;
  const terms: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = EXPRESSION_OPERATORS[operator];
    if (!known) throw new SelectorError(`${goQuote(operator)} is not a valid label selector operator`);
    terms.push({ key, operator: known, values: [...(values ?? [])].sort() });
  }
  return terms.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The text of a selector, as `kubectl describe` and scale's `status.selector` show it. */
export function formatLabelSelector(selector: LabelSelectorTerms): string {
  return selector
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
        case 'in':
        case 'notin':
          return `${key} ${operator} (${values.join(',')})`;
        case 'gt':
          return `${key}>${values[0]}`;
        case 'lt':
          return `${key}<${values[0]}`;
        default:
          return `${key}${operator}${values[0]}`;
      }
    })
    .join(',');
}

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Parses a field selector; the caller checks which fields exist. Follows apimachinery/pkg/fields/selector.go, v1.33. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: match[1] as string,
      operator: match[2] === '!=' ? '!=' : '=',
      value: unescape(match[3] as string),
    });
  }
  return requirements;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescape(text: string): string {
  return text.replace(/\\(.?)|[,=]/gs, (sequence, escaped: string | undefined) => {
    if (escaped === undefined)
      throw new SelectorError(`invalid field selector: unescaped character in value: ${sequence.charCodeAt(0)}`);
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=')
      throw new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
    return escaped;
  });
}
