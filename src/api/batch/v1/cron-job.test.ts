import { expect, test } from 'vitest';
import { createErrors, decoded } from '#testing/kind.ts';
import { cronJobs } from './cron-job.ts';
import { parseSchedule } from './cron-schedule.ts';

const tick = (schedule: string, more = '') => `
metadata: {name: tick}
spec:
  schedule: "${schedule}"
  jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: busybox}]}}}}
${more}`;

test('defaults', () =>
  expect(decoded(cronJobs, tick('* * * * *')).spec).toMatchObject({
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  }));

const check = (schedule: string, more: string, ...errors: string[]) =>
  test(`${schedule} ${more}`, () => expect(createErrors(cronJobs, tick(schedule, more))).toEqual(errors));
check('*/5 0-6/2 1,15 jan-mar mon', '');
check('@hourly', '  timeZone: Europe/Berlin');
check('@every 90s', '');
const invalid = (schedule: string, why: string) =>
  check(schedule, '', `spec.schedule: Invalid value: "${schedule}": ${why}`);
invalid('every minute', 'expected exactly 5 fields, found 2: [every minute]');
invalid('60 * * * *', 'end of range (60) above maximum (59): 60');
invalid('* * 0 * *', 'beginning of range (0) below minimum (1): 0');
invalid('5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1');
invalid('*/0 * * * *', 'step of range should be a positive number: */0');
invalid('x * * * *', 'failed to parse int from x: strconv.Atoi: parsing \\"x\\": invalid syntax'.replaceAll('\\', ''));
invalid('@often', 'unrecognized descriptor: @often');
check('* * * * *', '  timeZone: Mars/Base', 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base');
check(
  'TZ=UTC * * * * *',
  '',
  'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
);

const next = (schedule: string, zone: string, from: string, ...times: string[]) =>
  test(`${schedule} in ${zone || 'UTC'} after ${from}`, () => {
    let ms: number | undefined = Date.parse(from);
    const found = times.map(() => {
      ms = parseSchedule(schedule, zone).next(ms as number);
      return ms === undefined ? 'never' : new Date(ms).toISOString().replace(':00.000Z', '');
    });
    expect(found).toEqual(times);
  });
next('*/20 * * * *', '', '2025-03-01T10:05:30Z', '2025-03-01T10:20', '2025-03-01T10:40', '2025-03-01T11:00');
next('0 3 29 2 *', '', '2025-03-01T00:00:00Z', '2028-02-29T03:00');
next('0 0 31 2 *', '', '2025-03-01T00:00:00Z', 'never');
next('0 0 13 * fri', '', '2025-06-01T00:00:00Z', '2025-06-06T00:00', '2025-06-13T00:00');
// The clocks of Berlin go forward from 02:00 to 03:00, and back from 03:00 to 02:00.
next('30 2 * * *', 'Europe/Berlin', '2025-03-29T00:00:00Z', '2025-03-29T01:30', '2025-03-31T00:30');
next('0 12 * * *', 'Europe/Berlin', '2025-10-25T00:00:00Z', '2025-10-25T10:00', '2025-10-26T11:00');
next('0 0 * * *', 'Asia/Kolkata', '2025-01-01T00:00:00Z', '2025-01-01T18:30');
next('0 0 1 7 *', 'Australia/Sydney', '2025-01-01T00:00:00Z', '2025-06-30T14:00');
