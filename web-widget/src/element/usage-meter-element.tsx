/** usage-meter-element — `<usage-meter>`: attributes and properties in, a live meter and events out. */
import type { ReactElement } from 'react';
import { describeMeter } from '../describe.ts';
import type { MeterLook } from '../live-meter.tsx';
import { LiveMeter } from '../live-meter.tsx';
import type { Messages } from '../messages.ts';
import type { GetToken } from '../registry.ts';
import { initialState } from '../state.ts';
import { adoptStyles } from '../stylesheet.ts';
import type { MeterSource } from '../use-meter.ts';
import { MeterCard, type Theme } from '../view.tsx';
import { draw } from './mount.ts';

/** Attribute by property: each can be written in HTML, or set from a script. */
const ATTRIBUTES = {
  feature: 'feature',
  url: 'url',
  token: 'token',
  tokenUrl: 'token-url',
  referenceId: 'reference-id',
  label: 'label',
  theme: 'theme',
  locale: 'locale',
  timeZone: 'time-zone',
  upgradeUrl: 'upgrade-url',
} as const;
type Property = keyof typeof ATTRIBUTES;

/** Set from a script only: they are no strings. */
const OBJECT_PROPERTIES = ['getToken', 'messages'] as const;

/** Where this file came from is, unless said otherwise, where the gateway is. */
const scriptUrl = typeof document === 'undefined' ? undefined : scriptOrigin(document.currentScript);

/** A server has no elements: there the class exists, so that the file can be imported, and is never made. */
const ElementBase = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement;

/**
 * `<usage-meter feature="api_calls" token-url="/metergraph-token">`
 *
 * Fires `upgrade` (cancelable, bubbling) when the offer is clicked. The offer is made where there is an `upgrade-url`,
 * which may be empty for a page that only listens.
 */
export class UsageMeterElement extends ElementBase {
  static readonly observedAttributes = [...Object.values(ATTRIBUTES), 'messages', 'lang'];

  // Each attribute as a property, defined below.
  declare feature: string | null;
  declare url: string | null;
  declare token: string | null;
  declare tokenUrl: string | null;
  declare referenceId: string | null;
  declare label: string | null;
  declare theme: string | null;
  declare locale: string | null;
  declare timeZone: string | null;
  declare upgradeUrl: string | null;

  #getToken: GetToken | undefined;
  #messages: Messages | undefined;
  #isDrawPlanned = false;

  get getToken(): GetToken | undefined {
    return this.#getToken;
  }
  set getToken(getToken: GetToken | undefined) {
    this.#getToken = getToken;
    this.#planDraw();
  }

  /** Strings in place of the English ones; the attribute `messages` takes the same as JSON. */
  get messages(): Messages | undefined {
    return this.#messages ?? parseMessages(this.getAttribute('messages'));
  }
  set messages(messages: Messages | undefined) {
    this.#messages = messages;
    this.#planDraw();
  }

  connectedCallback(): void {
    for (const name of [...OBJECT_PROPERTIES, ...Object.keys(ATTRIBUTES)]) keepEarlyProperty(this, name);
    if (!this.shadowRoot) adoptStyles(this.attachShadow({ mode: 'open' }));
    this.#planDraw();
  }

  disconnectedCallback(): void {
    this.#planDraw(); // moved within the page, it is connected again by then
  }

  attributeChangedCallback(): void {
    this.#planDraw();
  }

  /** Once for all changes of one turn. */
  #planDraw(): void {
    if (this.#isDrawPlanned) return;
    this.#isDrawPlanned = true;
    queueMicrotask(() => {
      this.#isDrawPlanned = false;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.shadowRoot) draw(this.isConnected ? this.#content() : null, this.shadowRoot);
  }

  #content(): ReactElement {
    const source = this.#source();
    const look = this.#look();
    if (!source) {
      const view = describeMeter(initialState, { ...look, now: Date.now() });
      return <MeterCard view={view} theme={look.theme} />;
    }
    const url = this.#attribute('upgradeUrl');
    const upgrade = url === undefined ? {} : { url, onUpgrade: this.#onUpgrade };
    return <LiveMeter source={source} look={look} upgrade={upgrade} />;
  }

  /** `null` until it is known what to show and how to be let in: a script may set `getToken` after the page is read. */
  #source(): MeterSource | null {
    const [feature, token, tokenUrl] = [
      this.#attribute('feature'),
      this.#attribute('token'),
      this.#attribute('tokenUrl'),
    ];
    if (!feature || !(token || tokenUrl || this.#getToken)) return null;
    return {
      feature,
      token,
      tokenUrl,
      getToken: this.#getToken,
      url: this.#attribute('url') ?? scriptUrl,
      referenceId: this.#attribute('referenceId'),
    };
  }

  #look(): MeterLook {
    return {
      theme: themeOf(this.#attribute('theme')),
      label: this.#attribute('label'),
      locale: this.#attribute('locale') ?? this.closest<HTMLElement>('[lang]')?.lang,
      timeZone: this.#attribute('timeZone'),
      messages: this.messages,
    };
  }

  #attribute(property: Property): string | undefined {
    return this.getAttribute(ATTRIBUTES[property]) ?? undefined;
  }

  readonly #onUpgrade = (click: { preventDefault(): void }): void => {
    const event = new CustomEvent('upgrade', {
      bubbles: true,
      composed: true,
      cancelable: true,
      detail: { feature: this.getAttribute('feature') },
    });
    if (!this.dispatchEvent(event)) click.preventDefault();
  };
}

// Each attribute as a property: `meter.tokenUrl = '/token'`, as frameworks set them; `null` or `undefined` takes it off.
for (const [property, attribute] of Object.entries(ATTRIBUTES)) {
  Object.defineProperty(UsageMeterElement.prototype, property, {
    get(this: UsageMeterElement) {
      return this.getAttribute(attribute);
    },
    set(this: UsageMeterElement, value: unknown) {
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, String(value));
    },
    configurable: true,
    enumerable: true,
  });
}

/** A property set before this file was loaded hides the class's own: hand it over. */
function keepEarlyProperty(element: UsageMeterElement, name: string): void {
  if (!Object.hasOwn(element, name)) return;
  const value: unknown = Reflect.get(element, name);
  Reflect.deleteProperty(element, name);
  Reflect.set(element, name, value);
}

function themeOf(theme: string | undefined): Theme {
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

function parseMessages(json: string | null): Messages | undefined {
  if (!json) return undefined;
  try {
    const messages: Messages = JSON.parse(json);
    return messages;
  } catch {
    console.warn('<usage-meter>: the attribute "messages" is not JSON; English is shown');
    return undefined;
  }
}

function scriptOrigin(script: HTMLOrSVGScriptElement | null): string | undefined {
  return script && 'src' in script && script.src ? new URL(script.src).origin : undefined;
}
