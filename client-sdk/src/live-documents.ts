/** live-documents — what the live part sends; apart from `documents.ts`, so that a page that only listens ships no more. */
import { ALERT, USAGE } from './fields.ts';
import { graphql } from './graphql.ts';

export const UsageChanged =
  graphql(`subscription UsageChanged($referenceId: String, $featureKeys: [String!], $after: String) {
  usageChanged(referenceId: $referenceId, featureKeys: $featureKeys, after: $after) {
    __typename
    ... on UsageSnapshot { usages ${USAGE} cursor }
    ... on UsageDelta { usage ${USAGE} cursor }
    ... on CursorExpired { message }
  }
}`);

export const AlertRaised = graphql(`subscription AlertRaised($referenceId: String, $after: String) {
  alertRaised(referenceId: $referenceId, after: $after) {
    __typename
    ... on AlertRaised { alert ${ALERT} cursor }
    ... on CursorExpired { message }
  }
}`);

/** Where a stream of alerts that begins now begins. */
export const AlertStart = graphql(`query AlertStart { viewer { alertCursor } }`);

export const LiveUsage = graphql(`subscription LiveUsage { liveUsage { usages ${USAGE} at } }`);
