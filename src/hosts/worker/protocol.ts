/** What the page tells a new worker, with two ports: `[http, control]`. */
export interface WorkerInit {
  readonly seed: number;
  /** Virtual time at the start, ms since the epoch. */
  readonly epoch: number;
  readonly workers: number;
  readonly controlPlaneNode: boolean;
  readonly speed: number;
}
