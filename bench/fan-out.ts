/** fan-out — `npm run bench:fan-out`: subscribers alone, and also with a document executed for each of them. */
import { parseArgs } from 'node:util';
import { fanOutReport } from './fan-out/figures.ts';
import { measureFanOut } from './fan-out/measure.ts';
import { FAN_OUT_DEFAULTS } from './fan-out/run.ts';

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: String(FAN_OUT_DEFAULTS.watchers) },
    customers: { type: 'string', default: String(FAN_OUT_DEFAULTS.customers) },
    unshared: { type: 'boolean', default: false },
  },
});
const options = {
  watchers: Number(values.watchers),
  customers: Number(values.customers),
  isShared: !values.unshared,
};
/** On stderr, so that the table on stdout can be kept as it is. */
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

console.log(fanOutReport(await measureFanOut(options, say)));
