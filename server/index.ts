/** metergraph — what a config file imports. */
export type {
  Config,
  DecimalInput,
  FeatureConfig,
  LimitConfig,
  PlanConfig,
  ThresholdConfig,
} from './define-config.ts';
export { defineConfig } from './define-config.ts';
