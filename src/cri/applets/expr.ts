import { type Applet } from './applet.ts';

/** Evaluates an expression of its arguments. */
export const expr: Applet = {
  name: 'expr',
  usage: 'EXPRESSION',
  options: '+',
  async run(call) {
    const value = expression(call.operands);
    if (value === undefined) {
      await call.fail('syntax error', 2);
      return 2;
    }
    await call.self.print(`${value}\n`);
    return value === '' || value === '0' ? 1 : 0;
  },
};

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function expression(words: readonly string[]): string | undefined {
  let at = 0;
  const levels: readonly (readonly string[])[] = [
    ['|'],
    ['&'],
    ['=', '==', '!=', '<', '<=', '>', '>='],
    ['+', '-'],
    ['*', '/', '%'],
    [':'],
  ];
  const number = (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : undefined);
  const apply = (operator: string, a: string, b: string): string | undefined => {
    const [x, y] = [number(a), number(b)];
    const truth = (condition: boolean) => (condition ? '1' : '0');
    const order = x !== undefined && y !== undefined ? (x < y ? -1 : x > y ? 1 : 0) : compare(a, b);
    switch (operator) {
      case '|':
        return a !== '' && a !== '0' ? a : b;
      case '&':
        return a !== '' && a !== '0' && b !== '' && b !== '0' ? a : '0';
      case '=':
      case '==':
        return truth(order === 0);
      case '!=':
        return truth(order !== 0);
      case '<':
        return truth(order < 0);
      case '<=':
        return truth(order <= 0);
      case '>':
        return truth(order > 0);
      case '>=':
        return truth(order >= 0);
      case ':': {
        const match = new RegExp(`^(?:${b.replace(/\\\(/g, '(').replace(/\\\)/g, ')')})`).exec(a);
        return b.includes('\\(') ? (match?.[1] ?? '') : String(match?.[0].length ?? 0);
      }
      default:
        if (x === undefined || y === undefined || ((operator === '/' || operator === '%') && y === 0n))
          return undefined;
        return String(
          operator === '+'
            ? x + y
            : operator === '-'
              ? x - y
              : operator === '*'
                ? x * y
                : operator === '/'
                  ? x / y
                  : x % y,
        );
    }
  };
  const level = (depth: number): string | undefined => {
    const operators = levels[depth];
    if (!operators) {
      const word = words[at++];
      if (word !== '(') return word;
      const inner = level(0);
      return words[at++] === ')' ? inner : undefined;
    }
    let left = level(depth + 1);
    while (left !== undefined && operators.includes(words[at] as string)) {
      const operator = words[at++] as string;
      const right = level(depth + 1);
      left = right === undefined ? undefined : apply(operator, left, right);
    }
    return left;
  };
  const value = level(0);
  return at === words.length ? value : undefined;
}
