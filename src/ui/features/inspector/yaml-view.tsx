import { Check, Copy } from 'lucide-react';
import { useMemo, useState } from 'react';
import { apiVersionOf } from '#apimachinery/resource.ts';
import type { KubeObject, ResourceType } from '../../cluster-store/kube-object.ts';
import { IconButton } from '../../components/button.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { CodeText } from './code-text.tsx';
import { yamlOf } from './object-text.ts';
import styles from './inspector.module.css';

/** The object as `kubectl get -o yaml` prints it. */
export function YamlView({ object, resource }: { readonly object: KubeObject; readonly resource: ResourceType }) {
  const t = useTranslate();
  const [managed, setManaged] = useState(false);
  const [copied, setCopied] = useState(false);
  const text = useMemo(
    () => yamlOf(object, { apiVersion: apiVersionOf(resource), kind: resource.kind }, managed),
    [object, resource, managed],
  );
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <>
      <div className={styles.bar}>
        <label>
          <input type="checkbox" checked={managed} onChange={(event) => setManaged(event.target.checked)} />{' '}
          managedFields
        </label>
        <IconButton label={t(copied ? 'yaml.copied' : 'yaml.copy')} onClick={() => void copy()}>
          {copied ? <Check /> : <Copy />}
        </IconButton>
      </div>
      <CodeText text={text} label={`YAML: ${object.metadata.name}`} />
    </>
  );
}
