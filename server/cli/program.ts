/** program — the commands of `metergraph`. */
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { LOG_LEVELS } from '../config.ts';
import { API_KEY_SCOPES } from '../domain/viewer.ts';
import { runCreateKey } from './keys.ts';
import { runStart } from './start.ts';
import { addStripeCommands } from './stripe.ts';
import { addUsageCommands } from './stripe-usage.ts';

/** One step up from the sources of this room, and from the build. */
const { version }: { version: string } = createRequire(import.meta.url)('../package.json');

export function createProgram(): Command {
  const program = new Command('metergraph')
    .description('A GraphQL metering gateway: counts what customers use, decides whether they may, shows it live.')
    .version(version);
  program
    .command('start', { isDefault: true })
    .description('runs the gateway until SIGTERM or Ctrl-C')
    .option('--port <number>', 'exactly this port (PORT; else 4000 or the next free one)')
    .option('--host <address>', 'where to listen (HOST; else 127.0.0.1)')
    .option('--data-dir <folder>', 'of the embedded database (METERGRAPH_DATA_DIR; else .metergraph)')
    .option('--config <file>', 'features and plans (METERGRAPH_CONFIG; else metergraph.config.ts)')
    .option('--no-demo', 'without demo data and traffic (METERGRAPH_DEMO=0)')
    .option('--log-level <level>', `${LOG_LEVELS.join(', ')} (LOG_LEVEL; else info)`)
    .addHelpText('after', '\nA Postgres server is used when DATABASE_URL names one.')
    .action((_flags, command: Command) => runStart(given(command)));
  program
    .command('keys')
    .description('API keys')
    .command('create')
    .description('makes an API key of the first tenant, on a database that you have access to, and prints it')
    .option('--scopes <list>', `of ${API_KEY_SCOPES.join(', ')}; admin when left out`)
    .option('--name <text>', 'what the key is for')
    .option('--data-dir <folder>', 'of the embedded database, which must not be in use')
    .action((_flags, command: Command) => runCreateKey(given(command)));
  addUsageCommands(addStripeCommands(program));
  return program;
}

/** Only what was said on the command line: commander's own default of `--no-demo` must not win over the environment. */
function given(command: Command) {
  const entries = Object.entries(command.opts());
  return Object.fromEntries(entries.filter(([name]) => command.getOptionValueSource(name) === 'cli'));
}
