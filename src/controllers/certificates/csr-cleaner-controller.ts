import { certificateSigningRequests } from '#api/certificates/v1/certificate-signing-request.ts';
import type { CertificateSigningRequest } from '#api/generated/types.ts';
import { parseTime } from '#base/clock.ts';
import { defineController } from '../define-controller.ts';

const HOUR_MS = 3_600_000;
const PENDING_MS = 24 * HOUR_MS;

/** Whether nobody needs the request any more: it was answered an hour ago, or not in a day. */
export function isStale({ metadata, status }: CertificateSigningRequest, nowMs: number): boolean {
  const isOlder = (time: string | undefined, ms: number) => time !== undefined && nowMs - parseTime(time) > ms;
  const { conditions = [], certificate } = status ?? {};
  if (conditions.length === 0) return isOlder(metadata.creationTimestamp, PENDING_MS);
  return conditions.some(
    ({ type, lastUpdateTime }) =>
      (type === 'Denied' || type === 'Failed' || (type === 'Approved' && certificate !== undefined)) &&
      isOlder(lastUpdateTime, HOUR_MS),
  );
}

/**
 * Deletes old requests for certificates, once an hour. Follows pkg/controller/certificates/cleaner, v1.33. Differs from
 * upstream: a certificate that has expired within its first hour stays for that hour.
 */
export const csrCleanerController = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  serviceAccount: 'certificate-controller',
  create({ process, queue, watch, every }) {
    const lister = watch(certificateSigningRequests);
    const isDone = (name: string) => {
      const request = lister.get({ name });
      return request !== undefined && isStale(request, process.clock.now());
    };
    every(HOUR_MS, 'look for old requests', (cause) => {
      for (const { metadata } of lister.list()) {
        if (metadata.name !== undefined && isDone(metadata.name)) queue.add(metadata.name, cause());
      }
    });
    return {
      async reconcile({ client }, { name }) {
        if (isDone(name)) await client.delete(certificateSigningRequests, { name });
      },
    };
  },
});
