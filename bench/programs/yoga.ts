/** yoga — the constant resolver behind yoga as it comes: none of our plugins, limits or authentication. */
import './leash.ts';
import { createServer } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { constantSchema } from './constant-schema.ts';
import { listenOnLoopback } from './loopback.ts';

const yoga = createYoga({ schema: constantSchema, logging: false });
listenOnLoopback(createServer((request, response) => void yoga.handle(request, response)));
