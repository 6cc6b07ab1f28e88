/** mount — draws shared components with preact. */
import { type ComponentChild, render } from 'preact';
import type { ReactElement } from 'react';

/** Draws `element` into `root`, or clears it with `null`. */
export function draw(element: ReactElement | null, root: ShadowRoot): void {
  // Shared components are typed by react; in this build `react` is preact, so their elements are preact's.
  render(element as ComponentChild, root);
}
