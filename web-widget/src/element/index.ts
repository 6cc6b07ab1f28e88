/** The stand-alone file: defines `<usage-meter>` once, in a browser. Importing it on a server does nothing. */
import { UsageMeterElement } from './usage-meter-element.tsx';

export type { UsageMeterElement };

declare global {
  interface HTMLElementTagNameMap {
    'usage-meter': UsageMeterElement;
  }
}

if (typeof customElements !== 'undefined' && !customElements.get('usage-meter')) {
  customElements.define('usage-meter', UsageMeterElement);
}
