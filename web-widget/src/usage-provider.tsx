/** usage-provider — the connection and the look that all meters below it share. */
import { createContext, type ReactNode, useContext } from 'react';
import type { MeterLook } from './live-meter.tsx';
import type { Source } from './registry.ts';
import { useStableToken } from './use-stable-token.ts';

export type UsageDefaults = Source & Omit<MeterLook, 'label'>;

const Defaults = createContext<UsageDefaults>({});

/** Says once where the gateway is, how a token is got, and in which language and theme meters are drawn. */
export function UsageProvider({ children, ...defaults }: UsageDefaults & { readonly children?: ReactNode }) {
  return <Defaults.Provider value={useStableToken(defaults)}>{children}</Defaults.Provider>;
}

const SOURCE_KEYS = ['client', 'getToken', 'tokenUrl', 'token'] as const satisfies readonly (keyof Source)[];

/** The meter's own token source, or the provider's; never a mixture of both. */
export function useConnection(own: Source): Source {
  const { url, client, getToken, tokenUrl, token } = useContext(Defaults);
  const isOwn = SOURCE_KEYS.some((key) => own[key] !== undefined);
  const chosen = isOwn ? own : { client, getToken, tokenUrl, token };
  return {
    url: own.url ?? url,
    client: chosen.client,
    getToken: chosen.getToken,
    tokenUrl: chosen.tokenUrl,
    token: chosen.token,
  };
}

export function useLook(own: MeterLook): MeterLook {
  const { locale, timeZone, messages, theme } = useContext(Defaults);
  return {
    label: own.label,
    locale: own.locale ?? locale,
    timeZone: own.timeZone ?? timeZone,
    messages: own.messages ?? messages,
    theme: own.theme ?? theme,
  };
}
