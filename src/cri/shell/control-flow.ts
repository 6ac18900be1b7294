/** `break` and `continue`: unwinds so many loops. */
export class LoopJump extends Error {
  override readonly name = 'LoopJump';
  readonly kind: 'break' | 'continue';
  depth: number;
  constructor(kind: 'break' | 'continue', depth: number) {
    super(kind);
    this.kind = kind;
    this.depth = depth;
  }
}

/** `return`: unwinds a function or a sourced file. */
export class FunctionReturn extends Error {
  override readonly name = 'FunctionReturn';
  readonly status: number;
  constructor(status: number) {
    super('return');
    this.status = status;
  }
}
