/** main — the page at `/` of a gateway. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { readStart } from './start.ts';
import './styles/base.css';

const start = readStart(document.getElementById('metergraph-start')?.textContent);
const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <App demoKey={start.demoKey} />
    </StrictMode>,
  );
}
