/** cloud-event — the envelope that a notice goes out in: CloudEvents 1.0, structured mode. Pure. */
import { isoOf } from './notice.ts';

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';

export type OutgoingEvent = {
  readonly id: string;
  readonly tenantId: string;
  /** A `NoticeType`, or `TEST_NOTICE`. */
  readonly type: string;
  readonly referenceId: string | null;
  readonly data: unknown;
  readonly occurredAtMs: number;
};

export type CloudEvent = {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: unknown;
};

/** `subject` is the app's own id of the customer; it is left out where it is about none. */
export const cloudEventOf = ({ id, tenantId, type, referenceId, data, occurredAtMs }: OutgoingEvent): CloudEvent => ({
  specversion: '1.0',
  id,
  source: `/metergraph/tenants/${tenantId}`,
  type: `metergraph.${type}`,
  ...(referenceId !== null && { subject: referenceId }),
  time: isoOf(occurredAtMs),
  datacontenttype: 'application/json',
  data,
});
