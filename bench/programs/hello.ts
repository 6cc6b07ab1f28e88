/** hello — the ceiling of Node itself: reads the request to its end and answers one constant. */
import './leash.ts';
import { createServer } from 'node:http';
import { listenOnLoopback } from './loopback.ts';

const BODY = JSON.stringify({ data: { consume: { allowed: true } } });

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length }).end(BODY);
  });
});
listenOnLoopback(server);
