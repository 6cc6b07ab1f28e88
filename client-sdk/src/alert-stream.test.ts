import { describe, expect, it } from 'vitest';
import { alertSource } from './alert-stream.ts';
import { MetergraphError } from './errors.ts';
import type { Link, Sink, WireRequest } from './link.ts';
import { anAlert } from './testing/gateway-schema.ts';
import { recording } from './testing/recorder.ts';

/** One operation that was started on a link; the test answers it. */
interface Operation {
  readonly spelled: string;
  readonly sink: Sink;
  isOver: boolean;
}

/** A link that says nothing by itself, so that the test has the order in hand. */
function heldLink() {
  const operations: Operation[] = [];
  const start = ({ query, variables }: WireRequest, sink: Sink) => {
    const operation = {
      spelled: `${/\w+ (\w+)/.exec(query)?.[1]} ${JSON.stringify(variables)}`,
      sink,
      isOver: false,
    };
    operations.push(operation);
    return () => {
      operation.isOver = true;
    };
  };
  const link: Link = { start, close: () => {}, lost: new Promise(() => {}) };
  const at = (index: number): Operation => {
    const operation = operations[index];
    if (!operation) throw new Error(`only ${operations.length} operations were started`);
    return operation;
  };
  return {
    link,
    started: () => operations.map(({ spelled }) => spelled),
    running: () => operations.filter(({ isOver }) => !isOver).map(({ spelled }) => spelled),
    sink: (index: number) => at(index).sink,
    answer: (index: number, alertCursor: string) => {
      at(index).sink.next({ data: { viewer: { alertCursor } } });
      at(index).sink.completed();
      at(index).isOver = true;
    },
  };
}

/** What a connection hears of an opening. */
function hearing() {
  const entries: string[] = [];
  const sink: Sink = {
    started: () => entries.push('started'),
    next: ({ errors }) => entries.push(errors ? 'errors' : 'item'),
    failed: ({ code }) => entries.push(`failed ${code}`),
    completed: () => entries.push('completed'),
  };
  return { entries, sink };
}

const raised = (id: string, cursor: string) => ({
  alertRaised: { __typename: 'AlertRaised' as const, alert: anAlert(id), cursor },
});
const EXPIRED = { alertRaised: { __typename: 'CursorExpired' as const, message: 'too old' } };

/** Goal: no stream without a resume point, and never a wrong one. Method: each order in which the answers may come. */
describe('alertSource', () => {
  it('asks where to begin, and begins there, also when it is opened again', () => {
    const source = alertSource({ referenceId: 'acme' }, recording().handlers);
    const [first, second] = [heldLink(), heldLink()];
    const { entries, sink } = hearing();
    source.open(first.link, sink);
    expect(first.started()).toEqual(['AlertStart {}']);
    first.answer(0, '5');
    expect(first.started()).toEqual(['AlertStart {}', 'AlertRaised {"referenceId":"acme","after":"5"}']);
    expect(entries).toEqual([]); // the asking is no part of the stream
    source.open(second.link, sink);
    expect(second.started()).toEqual(['AlertRaised {"referenceId":"acme","after":"5"}']);
  });

  it('asks nothing when it is told where to begin', () => {
    const { link, started } = heldLink();
    alertSource({ after: '3' }, recording().handlers).open(link, hearing().sink);
    expect(started()).toEqual(['AlertRaised {"after":"3"}']);
  });

  it.each<[string, (sink: Sink) => void, string]>([
    ['is refused', (sink) => sink.next({ errors: [{ message: 'no' }] }), 'errors'],
    ['fails', (sink) => sink.failed(new MetergraphError('OVERLOADED', 'no')), 'failed OVERLOADED'],
    ['is never answered', (sink) => sink.completed(), 'completed'],
  ])('fails as the stream would when the asking %s, and asks again when opened again', (_, fail, told) => {
    const source = alertSource({}, recording().handlers);
    const { link, sink: asking, started } = heldLink();
    const { entries, sink } = hearing();
    source.open(link, sink);
    fail(asking(0));
    expect(entries).toEqual([told]);
    source.open(link, sink);
    expect(started()).toEqual(['AlertStart {}', 'AlertStart {}']);
  });

  it('leaves nothing running when it is stopped, asking or listening', () => {
    const source = alertSource({}, recording().handlers);
    const { link, answer, running } = heldLink();
    const stop = source.open(link, hearing().sink);
    stop();
    expect(running()).toEqual([]);
    const stopAgain = source.open(link, hearing().sink);
    answer(1, '5');
    source.next(EXPIRED);
    stopAgain();
    expect(running()).toEqual([]);
  });

  it('keeps its stream when its cursor has expired, and asks for a new one', () => {
    const { entries, handlers } = recording();
    const source = alertSource({ after: '3' }, handlers);
    const { link, answer, running, started } = heldLink();
    source.open(link, hearing().sink);
    source.next(EXPIRED);
    expect(running()).toEqual(['AlertRaised {"after":"3"}', 'AlertStart {}']);
    answer(1, '9');
    source.open(link, hearing().sink);
    expect(started().at(-1)).toBe('AlertRaised {"after":"9"}');
    expect(entries).toEqual(['gap: too old']);
  });

  it('trusts the cursor of an alert more than an answer that comes later', () => {
    const { entries, handlers } = recording();
    const source = alertSource({ after: '3' }, handlers);
    const { link, answer, started } = heldLink();
    source.open(link, hearing().sink);
    source.next(EXPIRED);
    source.next(raised('a', '10'));
    answer(1, '9');
    source.open(link, hearing().sink);
    expect(started().at(-1)).toBe('AlertRaised {"after":"10"}');
    expect(entries).toEqual(['gap: too old', 'a']);
  });

  it('goes on when the asking after a gap fails, and asks first when opened again', () => {
    const source = alertSource({ after: '3' }, recording().handlers);
    const { link, sink: asking, started } = heldLink();
    const { entries, sink } = hearing();
    source.open(link, sink);
    source.next(EXPIRED);
    asking(1).next({ errors: [{ message: 'no' }] });
    asking(1).completed();
    expect(entries).toEqual([]);
    source.open(link, sink);
    expect(started().at(-1)).toBe('AlertStart {}');
  });
});
