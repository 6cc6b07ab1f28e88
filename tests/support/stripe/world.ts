/** world — what all accounts of one fake share: its time, its ids, its schema, and who is told what happens. */
import type { Clock } from '../../../server/domain/clock.ts';
import { Account, type Listener, type Request, type Surroundings } from './account.ts';
import type { Validator } from './validator.ts';
import type { Seconds } from './wire.ts';

const PLATFORM = 'acct_platform';

export class World implements Surroundings {
  readonly #clock: Clock;
  readonly validator: Validator;
  readonly listeners = new Set<Listener>();
  readonly platform: Account;
  request: Request | undefined;
  url = '';
  /** Epoch milliseconds of what is being made up for, while it is. */
  pretended: number | undefined;
  /** The second up to which all that was due has happened. */
  caughtUp: Seconds | undefined;
  readonly #accounts = new Map<string, Account>();
  #idCount = 0;

  constructor(clock: Clock, validator: Validator) {
    this.#clock = clock;
    this.validator = validator;
    this.platform = this.account(PLATFORM);
  }

  now(): number {
    return this.pretended ?? this.#clock.now();
  }

  get accounts(): readonly Account[] {
    return [...this.#accounts.values()];
  }

  /** The account of this id; a new one is connected by being named. */
  account(id: string): Account {
    const known = this.#accounts.get(id);
    if (known) return known;
    const account = new Account(id, id !== PLATFORM, this);
    this.#accounts.set(id, account);
    return account;
  }

  /** Counted, so that a run that is repeated sees the same ids. */
  newId(prefix: string): string {
    this.#idCount += 1;
    return `${prefix}_${this.#idCount.toString().padStart(8, '0')}`;
  }
}
