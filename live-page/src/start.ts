/** start — what the gateway writes into the page before it is sent. */

export type Start = {
  /** In a demo, a key of a tenant that holds nothing but demo data. Otherwise whoever looks brings one. */
  readonly demoKey: string | null;
};

/** Without the element, or with one that cannot be read, the page asks for a key as it would anywhere else. */
export function readStart(json: string | null | undefined): Start {
  try {
    const start: unknown = JSON.parse(json ?? '');
    if (start && typeof start === 'object' && 'demoKey' in start && typeof start.demoKey === 'string') {
      return { demoKey: start.demoKey };
    }
  } catch {
    // Not written by a gateway.
  }
  return { demoKey: null };
}
