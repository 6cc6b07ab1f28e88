/** Goal: no table of a page escapes, and each is read as it is written. Method: small pages, one rule each. */
import { describe, expect, it } from 'vitest';
import { casesOf } from './worked-examples.ts';

const TABLE = '| call | answer |\n| --- | --- |\n| `use 5` | 5 |\n';

it('reads a table with the heading, the options and the code block above it', () => {
  const [cases, ...others] = casesOf(
    `## Limits\n\n\`\`\`ts\nlimit: 5,\n\`\`\`\n\n<!-- cases: calls since=2026-01-01 zone=UTC -->\n${TABLE}`,
  );
  expect(others).toEqual([]);
  expect(cases).toEqual({
    title: 'Limits (line 8)',
    runner: 'calls',
    options: { since: '2026-01-01', zone: 'UTC' },
    config: { limit: 5 },
    head: ['call', 'answer'],
    rows: [['use 5', '5']],
  });
});

describe('what is configured', () => {
  it('is what the nearest block says, for several tables', () => {
    const page = `\`\`\`ts\nlimit: 1\n\`\`\`\n\`\`\`ts\nlimit: 2\n\`\`\`\n<!-- cases: a -->\n${TABLE}\n<!-- cases: b -->\n${TABLE}`;
    expect(casesOf(page).map(({ runner, config }) => [runner, config])).toEqual([
      ['a', { limit: 2 }],
      ['b', { limit: 2 }],
    ]);
  });

  it('is nothing in a new section, and no block of another language', () => {
    const page = `\`\`\`ts\nlimit: 1\n\`\`\`\n# Next\n\`\`\`graphql\n{ a }\n\`\`\`\n<!-- cases: a -->\n${TABLE}`;
    expect(casesOf(page).map(({ config }) => config)).toEqual([{}]);
  });
});

it('leaves tables of words alone, and tables within code', () => {
  expect(casesOf(`<!-- words -->\n${TABLE}\n\`\`\`md\n${TABLE}\`\`\`\n`)).toEqual([]);
});

it('takes a bar that is escaped for a bar', () => {
  expect(casesOf('<!-- cases: a -->\n| a | b |\n| --- | --- |\n| x \\| y | |\n')[0]?.rows).toEqual([['x | y', '']]);
});

it.each([
  ['a table that is not announced', TABLE, 'line 1: say what this table is'],
  ['an announced table that is missing', `<!-- words -->\n\nText.\n`, 'line 3: a table was announced'],
  ['a table without a rule', '<!-- cases: a -->\n| a |\n| b |\n', 'line 3: a table has a rule'],
])('refuses %s', (_, page, says) => expect(() => casesOf(page)).toThrow(says));
