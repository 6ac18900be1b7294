/** An error of the container runtime as it comes over gRPC. */
export class CriError extends Error {
  override readonly name = 'CriError';
  readonly code: 'Unknown' | 'NotFound' | 'InvalidArgument' | 'DeadlineExceeded' | 'Unavailable';
  /** Without the code. */
  readonly description: string;

  constructor(code: CriError['code'], description: string) {
    super(`rpc error: code = ${code} desc = ${description}`);
    this.code = code;
    this.description = description;
  }
}
