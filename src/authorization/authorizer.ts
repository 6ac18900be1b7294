import {
  alwaysAllow,
  alwaysDeny,
  type Authorizer,
  type AuthorizerSource,
  unionAuthorizer,
} from '#apiserver/authorization.ts';
import { NodeAuthorizer } from './node-authorizer.ts';
import { RbacAuthorizer } from './rbac-authorizer.ts';

const MODES: Readonly<Record<AuthorizationMode, (source: AuthorizerSource) => Authorizer>> = {
  AlwaysAllow: () => alwaysAllow,
  AlwaysDeny: () => alwaysDeny,
  Node: (source) => new NodeAuthorizer(source),
  RBAC: (source) => new RbacAuthorizer(source),
};

/** As `--authorization-mode` has them. */
export type AuthorizationMode = 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC';

/** What `--authorization-mode` asks for, in its order. */
export function createAuthorizer(modes: readonly AuthorizationMode[], source: AuthorizerSource): Authorizer {
  return unionAuthorizer(modes.map((mode) => MODES[mode](source)));
}
