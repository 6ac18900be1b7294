import { isStatus } from '#apimachinery/status-error.ts';
import type { Secret, ServiceAccount } from '#api/generated/types.ts';
import { secrets } from '#api/core/v1/secret.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import { encodeBase64 } from '#base/base64.ts';
import type { SpanId } from '#base/tracer.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { retryOnConflict } from '#client/retry-on-conflict.ts';
import type { Client } from '#client/client.ts';
import { defineController } from '../define-controller.ts';

const TYPE = 'kubernetes.io/service-account-token';
const NAME_ANNOTATION = 'kubernetes.io/service-account.name';
const UID_ANNOTATION = 'kubernetes.io/service-account.uid';
const MAX_RETRIES = 10;

/** Whether a token Secret lacks something. `rootCA` is PEM. */
export function isIncomplete({ data }: Secret, rootCA: string): boolean {
  return !data?.['token'] || !data['namespace'] || (rootCA !== '' && data['ca.crt'] !== base64(rootCA));
}

/** The token Secret with what is missing in it. */
export function fillTokenSecret(
  secret: Secret,
  serviceAccount: ServiceAccount,
  rootCA: string,
  sign: (serviceAccount: ServiceAccount, secret: Secret) => string,
): Secret {
  const { metadata, data = {} } = secret;
  const { name = '', uid = '' } = serviceAccount.metadata;
  return {
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [NAME_ANNOTATION]: name, [UID_ANNOTATION]: uid } },
    data: {
      ...data,
      ...(rootCA ? { 'ca.crt': base64(rootCA) } : {}),
      namespace: data['namespace'] || base64(metadata.namespace ?? ''),
      token: data['token'] || base64(sign(serviceAccount, secret)),
    },
  };
}

/**
 * Fills Secrets that ask for the token of a service account, and deletes them with it. Tokens of Pods do not come from
 * here. Follows pkg/controller/serviceaccount/tokens_controller.go, v1.33.
 */
export const serviceAccountTokenController = defineController({
  name: 'serviceaccount-token-controller',
  serviceAccount: '',
  workers: 5,
  maxRetries: MAX_RETRIES,
  create({ process, queue, watch, addQueue, config }) {
    // Keys say all that is needed when the object itself is gone.
    const accountChanged = ({ metadata }: ServiceAccount, span: SpanId) =>
      accounts.add(`${metadata.namespace}/${metadata.name}/${metadata.uid}`, span);
    const secretChanged = (secret: Secret, span: SpanId) => {
      const { namespace, name, uid, annotations } = secret.metadata;
      const account = annotations?.[NAME_ANNOTATION];
      if (secret.type !== TYPE || !account) return;
      queue.add(`${namespace}/${[name, uid, account, annotations[UID_ANNOTATION] ?? ''].join('/')}`, span);
    };
    const accountLister = watch(serviceAccounts, {
      add: accountChanged,
      update: (_, account, span) => accountChanged(account, span),
      delete: accountChanged,
    });
    const secretLister = watch(secrets, {
      add: secretChanged,
      update: (_, secret, span) => secretChanged(secret, span),
      delete: secretChanged,
    });

    const accounts = addQueue(
      'serviceaccount-tokens',
      { workers: 5, maxRetries: MAX_RETRIES },
      async ({ client }, key) => {
        const [namespace = '', name = '', uid = ''] = key.split('/');
        if (accountLister.get({ namespace, name })?.metadata.uid === uid) return;
        for (const secret of secretLister.list(namespace)) {
          if (!isTokenOf(secret, name, uid)) continue;
          await deleteToken(
            client,
            secret.metadata.namespace ?? '',
            secret.metadata.name ?? '',
            secret.metadata.uid ?? '',
          );
        }
      },
    );

    const cachedAccount = (namespace: string, name: string, uid: string) => {
      const account = accountLister.get({ namespace, name });
      return account && (!uid || account.metadata.uid === uid) ? account : undefined;
    };

    return {
      async reconcile({ client }, { namespace = '', name: rest }) {
        const [name = '', uid = '', accountName = '', accountUid = ''] = rest.split('/');
        const secret = secretLister.get({ namespace, name });
        if (secret?.metadata.uid !== uid) {
          if (cachedAccount(namespace, accountName, accountUid)) {
            await retryOnConflict(process, () => dropReference(client, namespace, accountName, accountUid, name));
          }
          return;
        }
        const account =
          cachedAccount(namespace, accountName, accountUid) ??
          (await liveAccount(client, namespace, accountName, accountUid));
        if (!account) await deleteToken(client, namespace, name, uid);
        else if (isIncomplete(secret, config.rootCA)) {
          const live = await client.get(secrets, { namespace, name }).catch(whenNotFound);
          // When the store is behind, the change is still to come and brings the key back.
          if (!live || live.metadata.resourceVersion !== secret.metadata.resourceVersion) return;
          const filled = fillTokenSecret(live, account, config.rootCA, config.signLegacyToken);
          await client.update(secrets, filled).catch(whenConflict);
        }
      },
    };
  },
});

function isTokenOf(secret: Secret, name: string, uid: string): boolean {
  const { annotations } = secret.metadata;
  if (secret.type !== TYPE || annotations?.[NAME_ANNOTATION] !== name) return false;
  const owner = annotations[UID_ANNOTATION];
  return !owner || owner === uid;
}

async function liveAccount(
  client: Client,
  namespace: string,
  name: string,
  uid: string,
): Promise<ServiceAccount | undefined> {
  const account = await client.get(serviceAccounts, { namespace, name }).catch(whenNotFound);
  return account && (!uid || account.metadata.uid === uid) ? account : undefined;
}

async function deleteToken(client: Client, namespace: string, name: string, uid: string): Promise<void> {
  await client.delete(secrets, { namespace, name }, uid ? { preconditions: { uid } } : {}).catch(whenConflict);
}

async function dropReference(
  client: Client,
  namespace: string,
  name: string,
  uid: string,
  secret: string,
): Promise<void> {
  const account = await liveAccount(client, namespace, name, uid);
  if (!account?.secrets?.some((reference) => reference.name === secret)) return;
  const kept = account.secrets.filter((reference) => reference.name !== secret);
  await client.update(serviceAccounts, { ...account, secrets: kept }).catch(whenNotFound);
}

function whenNotFound(error: unknown): undefined {
  if (!isStatus(error, 'NotFound')) throw error;
}

/** Somebody was faster; a change will tell. */
function whenConflict(error: unknown): undefined {
  if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
}

function base64(text: string): string {
  return encodeBase64(encodeUtf8(text));
}
