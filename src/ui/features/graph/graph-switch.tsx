import { EyeOff, HeartPulse, Play, PlugZap, Power, Snowflake, Square, Turtle, Unplug, Zap } from 'lucide-react';
import { useState } from 'react';
import { messageOf } from '../../cluster-store/cluster-store.ts';
import { useStateName } from '../../components/switches.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useSession } from '../../session/session.ts';
import { useGraphFocus } from './graph-focus.ts';
import { useFault } from './use-item.ts';
import styles from './graph-switch.module.css';

const ACTIONS = {
  stopped: { icon: Square, text: 'graph.stop' },
  off: { icon: Power, text: 'graph.off' },
  unplugged: { icon: Unplug, text: 'graph.unplug' },
  hang: { icon: Snowflake, text: 'graph.hang' },
  crash: { icon: Zap, text: 'graph.crash' },
  slow: { icon: Turtle, text: 'graph.slow' },
  unready: { icon: EyeOff, text: 'graph.unready' },
} as const;
type FaultState = keyof typeof ACTIONS;

const BACK = { stopped: Play, off: Power, unplugged: PlugZap } as const;

interface SwitchesProps {
  readonly target: string;
  /** How it is called. */
  readonly name: string;
  readonly states: readonly FaultState[];
  /** The element of the graph that it belongs to. */
  readonly item: string;
  /** Only what is wrong, and how to mend it. */
  readonly onlyBroken?: boolean;
}

/**
 * The buttons on a component, a Node or a Pod that make it fail, and run again. They show when it is pointed at,
 * focused or selected; what is broken always says so, and can be mended there.
 */
export function Switches({ target, name, states, item, onlyBroken }: SwitchesProps) {
  const t = useTranslate();
  const stated = useStateName();
  const { control } = useSession();
  const state = useFault(target);
  const reachable = useGraphFocus((focus) => focus.id === item);
  const [waits, setWaits] = useState(false);
  const [problem, setProblem] = useState<string>();
  if (onlyBroken && state === undefined) return null;
  const set = (next: string) => {
    setWaits(true);
    setProblem(undefined);
    control
      .setFault(target, next)
      .catch((error: unknown) => setProblem(messageOf(error)))
      .finally(() => setWaits(false));
  };
  const tabIndex = reachable ? 0 : -1;
  const Back = state === undefined ? undefined : (BACK[state as keyof typeof BACK] ?? HeartPulse);
  const mend = t(target.startsWith('pods/') ? 'graph.heal' : 'graph.start', { name });
  return (
    <div className={styles.switches} data-broken={state} data-waits={waits || undefined}>
      {Back ? (
        <button
          type="button"
          tabIndex={tabIndex}
          aria-label={mend}
          title={waits ? t('fault.waiting') : mend}
          onClick={() => set('running')}
        >
          <span>{stated(state as string)}</span>
          <Back aria-hidden="true" />
        </button>
      ) : (
        states.map((next) => {
          const { icon: Icon, text } = ACTIONS[next];
          return (
            <button
              key={next}
              type="button"
              tabIndex={tabIndex}
              aria-label={t(text, { name })}
              title={waits ? t('fault.waiting') : t(text, { name })}
              onClick={() => set(next)}
            >
              <Icon aria-hidden="true" />
            </button>
          );
        })
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
