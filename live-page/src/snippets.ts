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
  const query = `mutation { consume(input: ${input}) { ... on Consumption { allowed usage { used limit remaining } } ... on UserError { message } } }`;
  return [
    `curl ${origin}/graphql \\`,
    demoKey === null
      ? '  -H "Authorization: Bearer $METERGRAPH_KEY" \\'
      : `  -H ${singleQuoted(`Authorization: Bearer ${demoKey}`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${singleQuoted(JSON.stringify({ query }))}`,
  ].join('\n');
}

/** A quote inside quotes ends them, stands escaped, and begins them again. */
const singleQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const embedSnippet = (origin: string, featureKey: string): string => `<!-- your page -->
<script src="${origin}/widget.js" async></script>
<usage-meter feature="${featureKey}"
             token-url="/metergraph-token"></usage-meter>

// your server: a read-only token for whoever is signed in
app.post('/metergraph-token', async (request, response) => {
  const customer = { referenceId: request.user.id };
  response.json(await metergraph.createCustomerToken(customer));
});`;
