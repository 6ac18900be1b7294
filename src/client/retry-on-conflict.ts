import { isStatus } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import { jitter } from './backoff.ts';

const STEPS = 5;
const DELAY_MS = 10;

/**
 * Runs `attempt` until it ends without a Conflict, five times at most; then the Conflict is thrown. `attempt` reads the
 * object anew each time. Other errors are thrown at once. Follows client-go's retry.DefaultRetry, v1.33.
 */
export async function retryOnConflict<T>(process: Process, attempt: () => Promise<T>): Promise<T> {
  for (let step = 1; ; step++) {
    try {
      return await attempt();
    } catch (error) {
      if (step === STEPS || !isStatus(error, 'Conflict')) throw error;
    }
    await process.clock.sleep(jitter(process, DELAY_MS, 0.1));
  }
}
