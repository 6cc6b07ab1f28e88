/** tenant — the owner of everything below it: an app or a company. */
import type { ApiKeyMode } from './api-key.ts';

export type Tenant = {
  readonly id: string;
  readonly name: string;
  /** Keys of a test tenant say so: `mg_test_…`. */
  readonly mode: ApiKeyMode;
  /** IANA name; its customers' default. */
  readonly timeZone: string;
};
