import type { TestExpression, Word } from 'unbash';
import type { UnixProcess } from '../os/unix-process.ts';
import type { Node } from '../os/file-node.ts';
import { patternRegExp } from './pattern.ts';

/** An expression that `test` cannot read; the message follows `sh: `. */
export class TestError extends Error {
  override readonly name = 'TestError';
}

/** Whether the expression of `test` or `[` holds; `args` without the command's name and the closing bracket. */
export function testArguments(args: readonly string[], self: UnixProcess): boolean {
  const reader = new TestReader(args, self);
  if (args.length === 0) return false;
  const value = reader.or();
  if (!reader.done) throw new TestError(`${reader.peek}: unknown operand`);
  return value;
}

class TestReader {
  readonly #args: readonly string[];
  readonly #self: UnixProcess;
  #at = 0;

  constructor(args: readonly string[], self: UnixProcess) {
    this.#args = args;
    this.#self = self;
  }

  get done(): boolean {
    return this.#at >= this.#args.length;
  }

  get peek(): string | undefined {
    return this.#args[this.#at];
  }

  or(): boolean {
    let value = this.#and();
    while (this.peek === '-o') {
      this.#at++;
      const right = this.#and();
      value ||= right;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#not();
    while (this.peek === '-a') {
      this.#at++;
      const right = this.#not();
      value &&= right;
    }
    return value;
  }

  #not(): boolean {
    const rest = this.#args.length - this.#at;
    // A binary operator in the second place wins, so that `! = !` and `-f = -f` compare.
    if (this.peek === '!' && !(rest >= 3 && isBinary(this.#args[this.#at + 1]))) {
      if (rest === 1) {
        this.#at++;
        return true;
      }
      this.#at++;
      return !this.#not();
    }
    return this.#primary();
  }

  #primary(): boolean {
    const first = this.#args[this.#at++];
    if (first === undefined) throw new TestError('argument expected');
    const second = this.#args[this.#at];
    if (isBinary(second) && this.#at + 1 < this.#args.length) {
      this.#at++;
      return binary(second as string, first, this.#args[this.#at++] as string, this.#self);
    }
    if (first === '(' && second !== undefined) {
      const value = this.or();
      if (this.#args[this.#at++] !== ')') throw new TestError('closing paren expected');
      return value;
    }
    if (/^-[a-zA-Z]$/.test(first) && second !== undefined && UNARY.includes(first[1] as string)) {
      this.#at++;
      return unary(first, second, this.#self);
    }
    return first !== '';
  }
}

const UNARY = 'bcdefghknprstuwxzLSOGN';
const BINARY = ['=', '==', '!=', '<', '>', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'];
const isBinary = (text: string | undefined) => text !== undefined && BINARY.includes(text);

function integer(text: string): bigint {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw new TestError(`${text}: bad number`);
  return BigInt(trimmed.replace(/^\+/, ''));
}

function binary(operator: string, left: string, right: string, self: UnixProcess): boolean {
  switch (operator) {
    case '=':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '-eq':
      return integer(left) === integer(right);
    case '-ne':
      return integer(left) !== integer(right);
    case '-lt':
      return integer(left) < integer(right);
    case '-le':
      return integer(left) <= integer(right);
    case '-gt':
      return integer(left) > integer(right);
    case '-ge':
      return integer(left) >= integer(right);
    case '-ef':
      return stat(left, self) !== undefined && stat(left, self) === stat(right, self);
    default: {
      const [a, b] = operator === '-nt' ? [left, right] : [right, left];
      return (stat(a, self)?.mtime ?? Number.NEGATIVE_INFINITY) > (stat(b, self)?.mtime ?? Number.NEGATIVE_INFINITY);
    }
  }
}

function stat(path: string, self: UnixProcess, follow = true): Node | undefined {
  try {
    return self.system.files.stat(path, self.cwd, self.user, follow);
  } catch {
    return undefined;
  }
}

function unary(operator: string, operand: string, self: UnixProcess): boolean {
  switch (operator) {
    case '-n':
      return operand !== '';
    case '-z':
      return operand === '';
    case '-t':
      return self.file(Number(operand))?.tty !== undefined;
    case '-h':
    case '-L':
      return stat(operand, self, false)?.type === 'symlink';
    default: {
      const node = stat(operand, self);
      if (!node) return false;
      const may = (bit: number) =>
        self.user.uid === 0
          ? bit !== 1 || node.type === 'directory' || (node.mode & 0o111) !== 0
          : (node.mode & (node.uid === self.user.uid ? bit << 6 : bit)) !== 0;
      switch (operator) {
        case '-f':
          return node.type === 'file';
        case '-d':
          return node.type === 'directory';
        case '-c':
          return node.type === 'device';
        case '-s':
          return node.type === 'directory' || (node.type === 'file' && node.size > 0);
        case '-r':
          return may(4);
        case '-w':
          return may(2);
        case '-x':
          return may(1);
        case '-O':
          return node.uid === self.user.uid;
        case '-G':
          return node.gid === self.user.gid;
        case '-e':
          return true;
        case '-g':
          return (node.mode & 0o2000) !== 0;
        case '-u':
          return (node.mode & 0o4000) !== 0;
        case '-k':
          return (node.mode & 0o1000) !== 0;
        default:
          return false;
      }
    }
  }
}

/** Whether `[[ … ]]` holds. `pattern` and `text` expand a word. */
export async function testExpression(
  expression: TestExpression,
  self: UnixProcess,
  text: (word: Word) => Promise<string>,
  pattern: (word: Word) => Promise<string>,
): Promise<boolean> {
  const holds = (inner: TestExpression) => testExpression(inner, self, text, pattern);
  switch (expression.type) {
    case 'TestUnary':
      return unary(expression.operator, await text(expression.operand), self);
    case 'TestBinary': {
      const { operator, left, right } = expression;
      if (operator === '=' || operator === '==' || operator === '!=') {
        const matches = patternRegExp(await pattern(right)).test(await text(left));
        return operator === '!=' ? !matches : matches;
      }
      if (operator === '=~') {
        try {
          return new RegExp(await text(right)).test(await text(left));
        } catch {
          throw new TestError('syntax error in regular expression');
        }
      }
      return binary(operator, await text(left), await text(right), self);
    }
    case 'TestLogical': {
      for (const operand of expression.operands) {
        const value = await holds(operand);
        if (expression.operator === '&&' ? !value : value) return value;
      }
      return expression.operator === '&&';
    }
    case 'TestNot':
      return (await holds(expression.operand)) !== (expression.negations.length % 2 === 1);
    case 'TestGroup':
      return holds(expression.expression);
  }
}
