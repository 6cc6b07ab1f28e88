/**
 * Which room may import which; `docs/architecture.md` tells why. `npm run architecture` draws the line by name, and
 * `tests/architecture/imports.test.ts` shows that every line holds. An import of a type counts as any other.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
const TESTS = '(\\.(test|process)|/testing/[^/]+)\\.tsx?$';

/** Data flows one way, and so do imports: each room of the server, and the rooms that it may know. */
const ROOMS = {
  domain: [],
  execution: [],
  db: ['domain'],
  events: ['domain'],
  billing: ['domain', 'db'],
  notices: ['domain', 'db'],
  auth: ['domain', 'db'],
  metering: ['domain', 'db', 'events', 'billing'],
  actions: ['domain', 'db', 'events', 'billing', 'auth'],
  exports: ['domain', 'db', 'auth'],
  hooks: ['domain', 'metering'],
  schema: ['domain', 'metering', 'actions', 'events'],
  demo: ['domain', 'db', 'metering', 'actions'],
};

/** Each package of the workspace, and the packages it may know. */
const PACKAGES = {
  server: [],
  'client-sdk': [],
  'web-widget': ['client-sdk'],
  'live-page': ['client-sdk', 'web-widget'],
};

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Beside the rooms, the schema's resolvers know what they are handed, and hooks the words that the config has for them. */
const BESIDE = { schema: ['^server/context\\.ts$'], hooks: ['^server/hooks\\.ts$'] };

const roomRules = Object.entries(ROOMS).map(([room, known]) =>
  error(
    `server/${room} imports ${known.length > 0 ? known.join(', ') : 'no other room'}`,
    'Imports follow the data, from the doors inwards. Hand the value in as an argument, or move the code.',
    { path: `^server/${room}/`, pathNot: TESTS },
    { path: '^server/', pathNot: [...[room, ...known].map((name) => `^server/${name}/`), ...(BESIDE[room] ?? [])] },
  ),
);

const packageRules = Object.entries(PACKAGES).map(([name, known]) =>
  error(
    `${name} imports ${known.length > 0 ? known.join(', ') : 'no other package of the workspace'}`,
    'What clients know of the server is schema.graphql.',
    { path: `^${name}/`, pathNot: TESTS },
    { path: `^(${Object.keys(PACKAGES).join('|')})/`, pathNot: [name, ...known].map((other) => `^${other}/`) },
  ),
);

module.exports = {
  forbidden: [
    ...roomRules,
    ...packageRules,
    error('no cycles', 'Two files that need each other are one file, or hide a third.', {}, { circular: true }),
    error('imports resolve', 'The file or package does not exist.', {}, { couldNotResolve: true }),
    error(
      'the domain is pure',
      'It computes; it reads no file, clock, socket or environment.',
      { path: '^server/domain/', pathNot: TESTS },
      { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' }, // for hashes, which are pure
    ),
    error(
      'only billing knows stripe',
      'Everybody else asks for a biller.',
      { pathNot: ['^server/billing/', '^tests/', '^scripts/'] },
      { path: '(^|/)node_modules/stripe/|^stripe$' },
    ),
    error(
      'only config reads the environment',
      'process.env has one reader, server/config.ts.',
      { path: '^server/', pathNot: [TESTS, '^server/config\\.ts$'] },
      { path: '^(node:)?process$' },
    ),
    error(
      'the product does without tests',
      'Tests know the product, never the other way round.',
      { path: '^(server|client-sdk|web-widget|live-page|examples)/', pathNot: TESTS },
      { path: ['^(tests|bench|scripts)/', TESTS] },
    ),
    error(
      'what is imported is installed',
      'The package is in no package.json, or only among devDependencies.',
      { path: '^(server|client-sdk)/', pathNot: [TESTS, 'tsdown\\.config\\.ts$'] },
      {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer', 'type-only'],
      },
    ),
  ],
  options: {
    exclude: { path: ['(^|/)dist/'] },
    doNotFollow: { path: '(^|/)node_modules/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@metergraph/source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs', '.cjs'],
    },
  },
};
