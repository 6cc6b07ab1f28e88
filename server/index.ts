/** metergraph — what a config file imports. */
export type { HooksConfig } from './config-hooks.ts';
export type {
  Config,
  CreditsConfig,
  DecimalInput,
  FeatureConfig,
  IntervalConfig,
  LimitConfig,
  PlanConfig,
  PriceConfig,
  RateLimitConfig,
  ResetConfig,
  ThresholdConfig,
  TierConfig,
  WalletConfig,
} from './define-config.ts';
export { defineConfig } from './define-config.ts';
export type {
  AfterCall,
  AfterHook,
  AuthorizeCall,
  AuthorizeReference,
  BeforeCall,
  BeforeHook,
  BeforeVerdict,
  HookCall,
  HookCustomer,
  HookFeature,
  HookMoney,
  HookSplit,
  HookUsage,
} from './hooks.ts';
