import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { openSession } from '#hosts/worker/open-session.ts';
import './theme/fonts.css';
import './theme/tokens.css';
import './theme/base.css';
import { App } from './app.tsx';
import { useSessions } from './session/session.ts';

const start = () => useSessions.getState().start(openSession);
start();

const root = document.getElementById('root') as HTMLElement;
root.replaceChildren();
createRoot(root).render(
  <StrictMode>
    <App restart={start} />
  </StrictMode>,
);
