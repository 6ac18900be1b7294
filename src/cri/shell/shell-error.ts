/** An error that ends a shell that is not interactive, and the current line of one that is. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
  readonly status: number;
  constructor(message: string, status = 2) {
    super(message);
    this.status = status;
  }
}
