/** Goal: a reply is complete exactly when its last byte is there. Method: every reply, cut at every place. */
import { describe, expect, it } from 'vitest';
import { readReply } from './http-reply.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

describe('a reply', () => {
  it.each([
    // as it was sent                                                                  says
    [`${HEAD}Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello`, { status: 200, body: 'hello' }],
    [`${HEAD}content-length:0\r\n\r\n`, { status: 200, body: '' }],
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, { status: 200, body: 'hello' }],
    [
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nC\r\nlo\r\n0\r\n\r\n...\r\n0\r\n\r\n`,
      { status: 200, body: 'hello\r\n0\r\n\r\n...' },
    ],
    [`HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}`, { status: 503, body: '{}' }],
  ])('%j', (sent, says) => {
    expect(readReply(sent)).toEqual(says);
    for (let cut = 0; cut < sent.length; cut += 1) expect(readReply(sent.slice(0, cut))).toBeNull();
  });

  it('that never tells its length is refused', () => {
    expect(() => readReply(`${HEAD}\r\nhello`)).toThrow('a reply without a length');
  });
});
