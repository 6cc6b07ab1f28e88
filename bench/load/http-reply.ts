/** http-reply — where one HTTP/1.1 reply ends, and its parts. As much of HTTP as our own servers speak on loopback. */

export type HttpReply = { readonly status: number; readonly body: string };

const HEAD_END = '\r\n\r\n';

/**
 * @param received All bytes since the request was sent, one character a byte. A client that waits for each reply has
 *   never the beginning of another one in it.
 * @returns null while the reply is not complete.
 * @throws for a reply whose length is not told.
 */
export function readReply(received: string): HttpReply | null {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const bodyStart = headEnd + HEAD_END.length;
  const head = received.slice(0, headEnd);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const bodyEnd = bodyStart + Number(length);
    return received.length < bodyEnd ? null : { status, body: received.slice(bodyStart, bodyEnd) };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`a reply without a length: ${head}`);
  const body = unchunked(received, bodyStart);
  return body === null ? null : { status, body };
}

function unchunked(received: string, start: number): string | null {
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(received.slice(at, lineEnd), 16);
    const chunkEnd = lineEnd + 2 + size;
    if (received.length < chunkEnd + 2) return null;
    if (size === 0) return body;
    body += received.slice(lineEnd + 2, chunkEnd);
    at = chunkEnd + 2;
  }
}
