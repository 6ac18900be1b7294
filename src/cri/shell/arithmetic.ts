import { parse, type ArithmeticExpression, type Word } from 'unbash';
import { ShellError } from './shell-error.ts';

/** What arithmetic needs of the shell. */
export interface ArithmeticContext {
  variable(name: string): string | undefined;
  assign(name: string, value: string): void;
  /** Expands the `$` parts of a word to text. */
  expandText(text: string): Promise<string>;
}

const MAX_DEPTH = 64;
const wrap = (value: bigint) => BigInt.asIntN(64, value);

/** The value of `$((…))`: 64-bit integers, as in every shell. */
export async function evaluate(
  expression: ArithmeticExpression | undefined,
  context: ArithmeticContext,
  depth = 0,
): Promise<bigint> {
  if (!expression) return 0n;
  if (depth > MAX_DEPTH) throw new ShellError('arithmetic: expression recursion level exceeded');
  const value = (node: ArithmeticExpression) => evaluate(node, context, depth + 1);
  switch (expression.type) {
    case 'ArithmeticGroup':
      return value(expression.expression);
    case 'ArithmeticWord':
      return wordValue(expression.value, context, depth);
    case 'ArithmeticCommandExpansion':
      return textValue(await context.expandText(expression.text), context, depth);
    case 'ArithmeticTernary':
      return (await value(expression.test)) !== 0n ? value(expression.consequent) : value(expression.alternate);
    case 'ArithmeticUnary': {
      const { operator, operand } = expression;
      if (operator === '++' || operator === '--') {
        const before = await value(operand);
        const after = wrap(operator === '++' ? before + 1n : before - 1n);
        context.assign(nameOf(operand), String(after));
        return expression.prefix ? after : before;
      }
      const number = await value(operand);
      if (operator === '-') return wrap(-number);
      if (operator === '!') return number === 0n ? 1n : 0n;
      if (operator === '~') return wrap(~number);
      return number;
    }
    case 'ArithmeticBinary': {
      const { operator, left, right } = expression;
      if (operator === '&&') return (await value(left)) !== 0n && (await value(right)) !== 0n ? 1n : 0n;
      if (operator === '||') return (await value(left)) !== 0n || (await value(right)) !== 0n ? 1n : 0n;
      const assignment = /^(.*[^=!<>]|<<|>>|)=$/.exec(operator);
      if (assignment) {
        const plain = assignment[1] as string;
        const number = plain === '' ? await value(right) : binary(plain, await value(left), await value(right));
        context.assign(nameOf(left), String(number));
        return number;
      }
      return binary(operator, await value(left), await value(right));
    }
  }
}

/** The value of a text such as `1 + x`. */
export async function evaluateText(text: string, context: ArithmeticContext, depth = 0): Promise<bigint> {
  const script = parse(`$((${text}))`);
  const command = script.commands[0]?.command;
  const word: Word | undefined = command?.type === 'Command' ? command.name : undefined;
  const part = word?.parts?.[0];
  if (script.errors || part?.type !== 'ArithmeticExpansion') throw new ShellError('arithmetic syntax error');
  return evaluate(part.expression, context, depth + 1);
}

async function wordValue(word: string, context: ArithmeticContext, depth: number): Promise<bigint> {
  if (/[$`"']/.test(word)) return textValue(await context.expandText(word), context, depth);
  if (!/^[A-Za-z_]\w*$/.test(word)) return number(word);
  const text = context.variable(word);
  return text === undefined ? 0n : textValue(text, context, depth);
}

async function textValue(text: string, context: ArithmeticContext, depth: number): Promise<bigint> {
  const trimmed = text.trim();
  if (trimmed === '') return 0n;
  if (/^[+-]?\d/.test(trimmed) && /^[+-]?\w+$/.test(trimmed)) {
    return trimmed.startsWith('-') ? wrap(-number(trimmed.slice(1))) : number(trimmed.replace(/^\+/, ''));
  }
  if (depth > MAX_DEPTH) throw new ShellError('arithmetic: expression recursion level exceeded');
  return evaluateText(trimmed, context, depth);
}

function number(text: string): bigint {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return wrap(BigInt(text));
  if (/^0[0-7]+$/.test(text)) return wrap(BigInt(`0o${text.slice(1)}`));
  if (/^\d+$/.test(text) && !/^0\d/.test(text)) return wrap(BigInt(text));
  throw new ShellError('arithmetic syntax error');
}

function nameOf(expression: ArithmeticExpression): string {
  if (expression.type === 'ArithmeticWord' && /^[A-Za-z_]\w*$/.test(expression.value)) return expression.value;
  throw new ShellError('arithmetic syntax error');
}

function binary(operator: string, a: bigint, b: bigint): bigint {
  const truth = (condition: boolean) => (condition ? 1n : 0n);
  switch (operator) {
    case '+':
      return wrap(a + b);
    case '-':
      return wrap(a - b);
    case '*':
      return wrap(a * b);
    case '/':
    case '%':
      if (b === 0n) throw new ShellError('divide by zero');
      return wrap(operator === '/' ? a / b : a % b);
    case '**': {
      if (b < 0n) throw new ShellError('exponent less than 0');
      let power = 1n;
      for (let base = a, rest = b; rest > 0n; rest >>= 1n, base = wrap(base * base))
        if (rest & 1n) power = wrap(power * base);
      return power;
    }
    case '<<':
      return wrap(a << (b & 63n));
    case '>>':
      return a >> (b & 63n);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<':
      return truth(a < b);
    case '<=':
      return truth(a <= b);
    case '>':
      return truth(a > b);
    case '>=':
      return truth(a >= b);
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case ',':
      return b;
    default:
      throw new ShellError('arithmetic syntax error');
  }
}
