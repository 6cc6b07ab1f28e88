/** `@metergraph/web-widget`: a live usage meter for React. The custom element is `@metergraph/web-widget/element`. */
export { describeMeter, type MeterFigures, type MeterOptions, type MeterView } from './describe.ts';
export { englishMessages, type Message, type MessageKey, type Messages, type UnitForms } from './messages.ts';
export type { GetToken, Source } from './registry.ts';
export type { Connection, MeterState, Problem } from './state.ts';
export type { MeterAlert, MeterPrice, MeterThreshold, MeterUsage } from './types.ts';
export { UsageMeter, type UsageMeterProps } from './usage-meter.tsx';
export { type UsageDefaults, UsageProvider } from './usage-provider.tsx';
export { type LiveUsage, type UseUsageOptions, useUsage } from './use-usage.ts';
export type { Theme, Upgrade } from './view.tsx';
