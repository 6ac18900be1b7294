import { Keyboard, Languages, Moon, RotateCcw, Settings2, Sun, SunMoon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { ClockControls } from '../features/clock/clock-controls.tsx';
import { languageNames, type Locale } from '../i18n/catalogues.ts';
import { useTranslate } from '../i18n/translate.ts';
import { TEXT_SIZES, usePreferences, type TextSize, type ThemeChoice } from '../session/preferences.ts';
import { SessionContext, useCluster, useSessions } from '../session/session.ts';
import { useContext } from 'react';
import { IconButton } from './button.tsx';
import { Faults } from './faults.tsx';
import { Logo } from './logo.tsx';
import { Menu, MenuChoices, MenuItem, MenuSeparator } from './menu.tsx';
import styles from './header.module.css';

interface HeaderProps {
  readonly onHelp: () => void;
  readonly onRestart: () => void;
}

export function Header({ onHelp, onRestart }: HeaderProps) {
  const t = useTranslate();
  const session = useContext(SessionContext);
  const { theme, locale, set } = usePreferences();
  const ThemeIcon = { system: SunMoon, light: Sun, dark: Moon }[theme];
  const nextTheme: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };
  return (
    <header className={styles.header}>
      <h1 className={styles.brand}>
        <Logo />
        Tabernetes
      </h1>
      {session && <ClusterState />}
      {session && <ClockControls />}
      {session && <Faults />}
      <div className={styles.settings}>
        <IconButton
          label={`${t('settings.theme')}: ${t(`theme.${theme}`)}`}
          onClick={() => set({ theme: nextTheme[theme] })}
        >
          <ThemeIcon />
        </IconButton>
        <Menu
          trigger={
            <IconButton label={`${t('settings.language')}: ${languageNames[locale]}`}>
              <Languages />
            </IconButton>
          }
        >
          <MenuChoices
            label={t('settings.language')}
            value={locale}
            choices={(Object.keys(languageNames) as Locale[]).map((value) => ({ value, text: languageNames[value] }))}
            onChoose={(value) => set({ locale: value })}
          />
        </Menu>
        <Settings onHelp={onHelp} onRestart={onRestart} />
      </div>
    </header>
  );
}

function Settings({ onHelp, onRestart }: HeaderProps) {
  const t = useTranslate();
  const { textSize, screenReader, set } = usePreferences();
  return (
    <Menu
      trigger={
        <IconButton label={t('settings.more')}>
          <Settings2 />
        </IconButton>
      }
    >
      <MenuChoices
        label={t('settings.textSize')}
        value={String(textSize)}
        choices={TEXT_SIZES.map((size) => ({ value: String(size), text: `${Math.round(size * 100)}%` }))}
        onChoose={(value) => set({ textSize: Number(value) as TextSize })}
      />
      <MenuSeparator />
      <DropdownMenu.CheckboxItem
        asChild
        checked={screenReader}
        onCheckedChange={(checked) => set({ screenReader: checked })}
      >
        <MenuItem checked={screenReader}>{t('settings.screenReader')}</MenuItem>
      </DropdownMenu.CheckboxItem>
      <MenuSeparator />
      <DropdownMenu.Item asChild onSelect={onHelp}>
        <MenuItem icon={<Keyboard />}>{t('settings.shortcuts')}</MenuItem>
      </DropdownMenu.Item>
      <DropdownMenu.Item asChild onSelect={onRestart}>
        <MenuItem icon={<RotateCcw />}>{t('settings.restart')}</MenuItem>
      </DropdownMenu.Item>
    </Menu>
  );
}

/** Whether the cluster is up, and what it is. */
function ClusterState() {
  const t = useTranslate();
  const { info, crash } = useSessions();
  const nodes = useCluster((state) => state.nodes);
  const problem = useCluster((state) => state.nodes.problem ?? state.pods.problem);
  let ready = 0;
  for (const row of nodes.rows.values()) if (row.status === 'Ready') ready++;
  const total = nodes.rows.size;
  const [tone, text] =
    crash !== undefined
      ? ['bad', t('state.crashed')]
      : !info || !nodes.synced
        ? ['pending', t('state.starting')]
        : problem !== undefined
          ? ['bad', t('state.unreachable')]
          : [ready === total && total > 0 ? 'ok' : 'pending', t('state.nodes', { ready, total })];
  return (
    <div className={styles.state} role="status" title={problem}>
      <i className={styles.dot} data-tone={tone} aria-hidden="true" />
      <span>
        {text}
        {info && ` · ${info.version}`}
      </span>
    </div>
  );
}
