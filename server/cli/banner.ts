/** banner — what a person reads after the start: where to look, a key, and a call to try. */
import type { Started } from '../start.ts';

/** @param bold Marks what matters; the identity where the output is no terminal. */
export function banner({ url, place, key, example }: Started, bold: (text: string) => string): string {
  const base = openable(url);
  const lines = [
    '',
    `  ${bold('Metergraph')} is listening, on ${place}.`,
    '',
    `  Live page   ${bold(`${base}/`)}`,
    `  GraphiQL    ${base}/graphql`,
    `  Metrics     ${base}/metrics`,
    '',
  ];
  if (key) lines.push(...keyLines(key, bold), '');
  if (example) lines.push('  Try it:', '', ...curlLines(base, key?.text ?? null, example), '');
  else lines.push('  There are no features yet: write a metergraph.config.ts, or call saveFeature.', '');
  return `${lines.join('\n')}\n`;
}

function keyLines({ kind, text }: NonNullable<Started['key']>, bold: (text: string) => string): readonly string[] {
  return kind === 'demo'
    ? [`  Demo key    ${bold(text)}`, '              for this run and the demo tenant only: it may ingest and read']
    : [`  First key   ${bold(text)}`, '              an admin key, shown this once: keep it safe'];
}

/** Pasted into a shell as it stands. */
function curlLines(base: string, key: string | null, example: NonNullable<Started['example']>): readonly string[] {
  const { referenceId, featureKey, isRegistered } = example;
  const register = isRegistered ? '' : `registerCustomer(input: { referenceId: "${referenceId}" }) { __typename } `;
  const consume = `consume(input: { referenceId: "${referenceId}", featureKey: "${featureKey}" })`;
  const answer = '{ ... on Consumption { allowed usage { used limit remaining } } ... on UserError { message } }';
  const body = JSON.stringify({ query: `mutation { ${register}${consume} ${answer} }` });
  return [
    `  curl ${base}/graphql \\`,
    key === null ? '    -H "Authorization: Bearer $METERGRAPH_KEY" \\' : `    -H 'Authorization: Bearer ${key}' \\`,
    "    -H 'Content-Type: application/json' \\",
    `    -d '${body}'`,
  ];
}

/** An address that means "all of this machine's" is none that one can open. */
const openable = (url: string): string => url.replace(/^http:\/\/(0\.0\.0\.0|\[::\]):/, 'http://localhost:');
