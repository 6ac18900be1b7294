import type { AuthorizerSource } from '#apiserver/authorization.ts';
import { Rng } from '#base/rng.ts';
import { TokenAuthenticator } from '#registry/token-authenticator.ts';
import { TokenIssuer } from '#registry/token-issuer.ts';
import { expect, test } from 'vitest';
import { ANONYMOUS, anonymousUnder, authentication } from './authentication.ts';

test('without credentials one is anonymous, but where everybody may do everything, nobody', () => {
  const nothingStored = {} as AuthorizerSource;
  const tokens = new TokenAuthenticator(new TokenIssuer(new Rng(1)), nothingStored);
  const request = { method: 'GET', path: '/api', headers: { authorization: 'Basic YmFkOndyb25n' } };
  const ask = (modes: Parameters<typeof anonymousUnder>[0]) =>
    authentication(tokens, anonymousUnder(modes), () => 0)(request);
  expect(ask(['Node', 'RBAC'])).toBe(ANONYMOUS);
  expect(() => ask(['RBAC', 'AlwaysAllow'])).toThrow('Unauthorized');
});
