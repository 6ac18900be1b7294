/** A patch that cannot be applied; `code` says what the API server makes of it. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code: 400 | 422 | 500;

  constructor(code: 400 | 422 | 500, message: string) {
    super(message);
    this.code = code;
  }
}
