import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { Fragment } from 'react';
import { useTranslate, type PlainKey } from '../i18n/translate.ts';
import { IconButton } from './button.tsx';
import styles from './shortcuts.module.css';

const SHORTCUTS: readonly (readonly [keys: readonly string[], text: PlainKey])[] = [
  [['F6'], 'keys.nextPane'],
  [['Shift', 'F6'], 'keys.previousPane'],
  [['Esc'], 'keys.leave'],
  [['Enter'], 'keys.enter'],
  [['Ctrl', 'Enter'], 'keys.apply'],
  [['←', '→', '↑', '↓'], 'keys.arrows'],
  [['Tab'], 'keys.complete'],
  [['Ctrl', 'Shift', 'C'], 'keys.copy'],
  [['?'], 'keys.help'],
];

export function Shortcuts({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const t = useTranslate();
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={styles.overlay} />
        <Dialog.Content className={styles.dialog} aria-describedby={undefined}>
          <Dialog.Title asChild>
            <h2>
              {t('settings.shortcuts')}
              <Dialog.Close asChild>
                <IconButton label={t('keys.close')}>
                  <X />
                </IconButton>
              </Dialog.Close>
            </h2>
          </Dialog.Title>
          <dl className={styles.list}>
            {SHORTCUTS.map(([keys, text]) => (
              <Fragment key={text}>
                <dt>
                  {keys.map((key, at) => (
                    <Fragment key={key}>
                      {at > 0 && ' '}
                      <kbd>{key}</kbd>
                    </Fragment>
                  ))}
                </dt>
                <dd>{t(text)}</dd>
              </Fragment>
            ))}
          </dl>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
