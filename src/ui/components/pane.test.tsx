// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { usePreferences } from '../session/preferences.ts';
import { Pane } from './pane.tsx';

afterEach(cleanup);

let broken = true;
function Fragile() {
  if (broken) throw new Error('it broke');
  return <p>whole</p>;
}

test('a fault stays in its pane, is told, and can be tried again', () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  broken = true;
  render(
    <>
      <Pane id="graph">
        <Fragile />
      </Pane>
      <Pane id="timeline">
        <p>not affected</p>
      </Pane>
    </>,
  );
  expect(screen.getByRole('alert').textContent).toContain('it broke');
  expect(screen.getByText('not affected')).toBeTruthy();
  broken = false;
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(screen.getByText('whole')).toBeTruthy();
  log.mockRestore();
});

test('a pane is a region with a name in the language that shows, and a stable attribute', () => {
  render(<Pane id="terminal">x</Pane>);
  const region = screen.getByRole('region', { name: 'Terminal' });
  expect(region.dataset.pane).toBe('terminal');
  usePreferences.getState().set({ locale: 'zh' });
  cleanup();
  render(<Pane id="terminal">x</Pane>);
  expect(screen.getByRole('region', { name: '终端' }).dataset.pane).toBe('terminal');
  usePreferences.getState().set({ locale: 'en' });
});
