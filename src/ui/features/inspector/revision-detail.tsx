import { useMemo } from 'react';
import type { KeyRevision } from '#hosts/control.ts';
import type { KubeObject } from '../../cluster-store/kube-object.ts';
import { Facts, Link } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useSelection } from '../../session/session.ts';
import { timeOfDay } from '../clock/clock-format.ts';
import { DiffText } from './code-text.tsx';
import { objectDiff } from './object-text.ts';

/** Leads to a span with all its causes and effects. */
export function OpenSpan({ id }: { readonly id: number }) {
  const t = useTranslate();
  const select = useSelection((state) => state.select);
  return <Link onClick={() => select({ type: 'span', id })}>{t('flow.openSpan')}</Link>;
}

/** A revision of an etcd key, and how its object differs from the one before. */
export function RevisionDetail({
  revision,
  previous,
}: {
  readonly revision: KeyRevision;
  readonly previous: KeyRevision | undefined;
}) {
  const t = useTranslate();
  const lines = useMemo(
    () => objectDiff(previous?.object as KubeObject | undefined, revision.object as KubeObject | undefined),
    [revision, previous],
  );
  return (
    <>
      <Facts
        facts={[
          ['key', <code key="key">{revision.key}</code>],
          ['revision', revision.revision],
          ['createRevision', revision.createRevision],
          ['version', revision.version],
          [t('span.when'), timeOfDay(revision.time)],
        ]}
      />
      <DiffText lines={lines} />
      <OpenSpan id={revision.span} />
    </>
  );
}
