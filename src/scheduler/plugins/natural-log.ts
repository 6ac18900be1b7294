/** Natural logarithm of a positive number by arithmetic alone, so that it is the same on every machine. */
export function naturalLog(x: number): number {
  let mantissa = x;
  let halvings = 0;
  while (mantissa > 1.5) {
    mantissa /= 2;
    halvings++;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)); |z| ≤ 1/5, so that 15 terms are beyond double precision.
  const z = (mantissa - 1) / (mantissa + 1);
  let power = z;
  let sum = 0;
  for (let k = 1; k < 31; k += 2) {
    sum += power / k;
    power *= z * z;
  }
  return 2 * sum + halvings * LN2;
}

const LN2 = 0.6931471805599453;
