/** snippets — what a reader copies: the curl that consumes, and the lines that embed a meter. Pure. */

export type CurlInput = {
  /** Of this page, such as `http://localhost:4000`. */
  readonly origin: string;
  /** Null: a key that is not a demo's stays off the screen, and out of the clipboard. */
  readonly demoKey: string | null;
  readonly referenceId: string;
  readonly featureKey: string;
};

/** Ready for a POSIX shell. */
export function consumeCurl({ origin, demoKey, referenceId, featureKey }: CurlInput): string {
  const input = `{ referenceId: ${JSON.stringify(referenceId)}, featureKey: ${JSON.stringify(featureKey)} }`;
  const query = `mutation { consume(input: ${input}) { ... on Consumption { allowed usage { used limit } } ... on UserError { code message } } }`;
  return [
    `curl ${origin}/graphql \\`,
    `  -H "Authorization: Bearer ${demoKey ?? '$METERGRAPH_KEY'}" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${singleQuoted(JSON.stringify({ query }))}`,
  ].join('\n');
}

/** A quote inside quotes ends them, stands escaped, and begins them again. */
const singleQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const embedSnippet = (origin: string, featureKey: string): string => `<!-- your page -->
<script src="${origin}/widget.js" async></script>
<usage-meter feature="${featureKey}" token-url="/metergraph-token" upgrade-url="/plans"></usage-meter>

// your server: mints a read-only token for whoever is signed in
const metergraph = createMetergraphClient({ url: '${origin}/graphql', apiKey: process.env.METERGRAPH_KEY });

app.post('/metergraph-token', requireLogin, async (request, response) => {
  response.json(await metergraph.createCustomerToken({ referenceId: request.user.id }));
});`;
