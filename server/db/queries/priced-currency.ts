/** priced-currency — in which currency a counter was priced last: its events say it, and the counter does not. */

/** How far an event lies before its counter's last change at most, to be asked for its currency: holds are no events. */
const EVENTS_BACK_MAX = 100;

/**
 * A lateral join to a counter `c`, as `priced.currency`: null where it costs nothing, and where only holds were priced yet. Almost
 * always the counter's last change is the event that says it; a customer's other events are not walked through for it.
 */
export const PRICED_CURRENCY = `LEFT JOIN LATERAL (
    SELECT near.currency FROM (
      SELECT e.currency, e.feature_key, e.period_start FROM events e
      WHERE c.cost <> 0 AND e.customer_id = c.customer_id AND e.sequence <= c.sequence AND e.tenant_id = c.tenant_id
      ORDER BY e.sequence DESC LIMIT ${EVENTS_BACK_MAX}
    ) near
    WHERE near.feature_key = c.feature_key AND near.period_start = c.period_start AND near.currency IS NOT NULL
    LIMIT 1
  ) priced ON true`;
