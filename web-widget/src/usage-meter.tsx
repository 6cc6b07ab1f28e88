/** usage-meter — the React component. */
import { type CSSProperties, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { LiveMeter, type MeterLook } from './live-meter.tsx';
import type { Source } from './registry.ts';
import { adoptStyles } from './stylesheet.ts';
import { useConnection, useLook } from './usage-provider.tsx';
import type { Upgrade } from './view.tsx';

export type UsageMeterProps = Source &
  MeterLook & {
    /** Key of the feature. */
    readonly feature: string;
    /** Whose usage. A customer token names its customer: leave it out. */
    readonly referenceId?: string | undefined;
    /** Link offered near the limit. */
    readonly upgradeUrl?: string | undefined;
    /** Called when the offer is clicked; `preventDefault()` keeps the link from being followed. */
    readonly onUpgrade?: Upgrade['onUpgrade'];
    /** `rtl` or `ltr`; default: the page's. */
    readonly dir?: 'ltr' | 'rtl' | undefined;
    readonly className?: string | undefined;
    readonly style?: CSSProperties | undefined;
    readonly id?: string | undefined;
  };

/**
 * A live usage meter. What is not given as a prop comes from the nearest `<UsageProvider>`.
 *
 * It draws into a shadow root, as the custom element does: the page's styles cannot break it, `className` and `style`
 * go to its host, and `::part(…)` and the `--mg-…` properties style its inside. On a server it renders the empty host.
 */
export function UsageMeter(props: UsageMeterProps) {
  const { feature, referenceId, upgradeUrl, onUpgrade, dir, className, style, id } = props;
  const connection = useConnection(props);
  const look = useLook(props);
  const host = useRef<HTMLDivElement>(null);
  const [root, setRoot] = useState<ShadowRoot | null>(null);

  useIsomorphicLayoutEffect(() => {
    if (host.current) setRoot(shadowOf(host.current));
  }, []);

  return (
    <div
      ref={host}
      className={className}
      style={style}
      id={id}
      dir={dir}
      lang={look.locale}
      data-metergraph-meter={feature}
    >
      {root &&
        createPortal(
          <LiveMeter
            source={{ ...connection, feature, referenceId }}
            look={look}
            upgrade={{ url: upgradeUrl, onUpgrade }}
          />,
          root,
        )}
    </div>
  );
}

/** On a server there is nothing to lay out, and React warns of an effect that cannot run. */
const useIsomorphicLayoutEffect = typeof document === 'undefined' ? () => {} : useLayoutEffect;

/** StrictMode runs the effect twice on the same element, which can only have one shadow root. */
function shadowOf(host: HTMLElement): ShadowRoot {
  if (host.shadowRoot) return host.shadowRoot;
  const root = host.attachShadow({ mode: 'open' });
  adoptStyles(root);
  return root;
}
