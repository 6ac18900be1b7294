import { Pane } from '../../components/pane.tsx';

export function TerminalPane() {
  return <Pane id="terminal">{null}</Pane>;
}
