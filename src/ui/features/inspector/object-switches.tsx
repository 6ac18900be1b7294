import type { KubeObject } from '../../cluster-store/kube-object.ts';
import { Section } from '../../components/parts.tsx';
import { Switch } from '../../components/switches.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useFaults } from '../../session/session.ts';

/** Objects that stand for CoreDNS. */
const DNS: ReadonlySet<string> = new Set(['deployments/coredns', 'services/kube-dns']);

/** What can be made to fail where an object is: a Node's power, cable and components; a Pod's containers. */
export function ObjectSwitches({ plural, object }: { readonly plural: string; readonly object: KubeObject }) {
  const t = useTranslate();
  const { namespace = '', name = '', deletionTimestamp } = object.metadata;
  const known = useFaults((targets) => targets.some(({ target }) => target === `nodes/${name}`));
  if (plural === 'nodes' && known) {
    return (
      <Section title={t('fault.title')}>
        <Switch target={`nodes/${name}`} label={t('fault.power')} />
        <Switch target={`kubelets/${name}`} label="kubelet" />
        <Switch target={`kube-proxies/${name}`} label="kube-proxy" />
      </Section>
    );
  }
  if (plural === 'pods' && object.spec?.['nodeName'] && !deletionTimestamp) {
    return (
      <Section title={t('fault.containers')}>
        <Switch target={`pods/${namespace}/${name}`} label="Pod" />
      </Section>
    );
  }
  if (namespace === 'kube-system' && DNS.has(`${plural}/${name}`)) {
    return (
      <Section title={t('fault.title')}>
        <Switch target="coredns" />
      </Section>
    );
  }
  return null;
}
