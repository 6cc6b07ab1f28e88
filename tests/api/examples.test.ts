/** Goal: the examples do what they say. Method: run each as a user would, against a gateway. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { systemClock } from '../../server/domain/clock.ts';
import { describeEngines } from '../support/engines.ts';
import { ADMIN_KEY, startGateway } from '../support/gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describeEngines('examples', (engine) => {
  it('quickstart: five calls pass, each threshold is told once, the sixth is refused', async () => {
    const { graphqlUrl } = await startGateway({ database: await engine.open(), clock: systemClock });
    const env = { ...process.env, METERGRAPH_URL: graphqlUrl, METERGRAPH_KEY: ADMIN_KEY };
    const args = ['--conditions=@metergraph/source', '--import=tsx', 'examples/quickstart.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env, timeout: 25_000 });
    const said = stdout.split('\n').filter((line) => !line.includes('the meter shows'));
    expect(said.slice(0, 5)).toEqual([
      'call 1 passes',
      'call 2 passes',
      'call 3 passes',
      'call 4 passes',
      '  alert: 80 % of the limit is used',
    ]);
    expect(said.slice(5, 7)).toEqual(['call 5 passes', '  alert: 100 % of the limit is used']);
    expect(said[7]).toMatch(/^call 6 is refused: 5 of "quickstart_calls" are used .* the limit is 5\. It resets at /);
  });
});
